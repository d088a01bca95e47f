/** Something happened in a simulation that must not happen. */
export class Violation extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'Violation'
  }
}

/** A run was ended at its limit of events. That may be all that is wrong with it. */
export class EndlessRun extends Violation {
  constructor(mostEvents: number) {
    super(`there is no end to it: ${mostEvents} events`)
  }
}
