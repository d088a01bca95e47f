/** An event that must not happen in a simulation. */
export class Violation extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'Violation'
  }
}

/** A run was ended at its limit of events, which may be all that is wrong with it. */
export class EndlessRun extends Violation {
  constructor(mostEvents: number) {
    super(`there is no end to it: ${mostEvents} events`)
  }
}
