import { systemEnv } from '@firn/env'
import { outside } from './ambient-trap.js'

/** One turn of the event loop costs as much as a small event, so this many events share it. */
const EVENTS_PER_TURN = 64

/**
 * Waits until everything is done that follows from what happened so far: next ticks, microtasks,
 * and those that they cause. Node runs these before it calls the next due immediate, even if
 * several are due in the same turn of its event loop.
 */
export class Turns {
  /** Immediates that have not been called yet. */
  #due = 0
  #resume: (() => void) | undefined

  /** Resolves when only waits for the real world are left. One call at a time. */
  next(): Promise<void> {
    if (this.#due === 0) this.#fill()
    return new Promise((resolve) => {
      this.#resume = resolve
    })
  }

  #fill(): void {
    this.#due = EVENTS_PER_TURN
    for (let i = 0; i < EVENTS_PER_TURN; i++) void outside(() => systemEnv.yield()).then(this.#call)
  }

  readonly #call = (): void => {
    this.#due--
    const resume = this.#resume
    this.#resume = undefined
    resume?.()
  }
}
