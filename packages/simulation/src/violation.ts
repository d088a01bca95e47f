/** Something happened in a simulation that must not happen. */
export class Violation extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'Violation'
  }
}
