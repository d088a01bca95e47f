import type { Env } from './env.js'
import { InvalidArgumentError } from './errors.js'

const DEFAULT_SLICE_MS = 8

// The clock is read about this often within a slice, and at least once in this many steps.
const LOOKS_PER_SLICE = 8
const MOST_STEPS_PER_LOOK = 64
/** The same past the end of a slice. A turn begins when all concurrent work waits for it. */
const MOST_STEPS_PER_LATE_LOOK = 8

/**
 * Cuts long work into slices of time. A loop that only awaits answers from memory stays in one turn
 * of the event loop, and timers, aborts and other requests wait for its end. Such work counts its
 * steps here, and waits for a turn when this asks for it. All work that shares a slice shares its
 * time.
 *
 * A slice begins with the first look at the clock in a turn of the event loop, and ends with that
 * turn, so work that waits for I/O anyway is never asked to wait. Each step costs a decrement; how
 * many pass between two looks follows from how long they take.
 */
export class TimeSlice {
  readonly #env: Env
  readonly #sliceMs: number
  #stepsPerLook: number
  #stepsLeft: number
  #endsAtMs = 0
  #lookedAtMs = 0
  /** Resolves when the turn in which the slice began is over. */
  #turn: Promise<void> | undefined

  /** `sliceMs`: how long work may go on; 0 yields at every other look. Default 8. */
  constructor(env: Env, sliceMs: number = DEFAULT_SLICE_MS) {
    if (!(typeof sliceMs === 'number' && sliceMs >= 0)) {
      throw new InvalidArgumentError(`sliceMs must be 0 or more, got ${String(sliceMs)}`)
    }
    this.#env = env
    this.#sliceMs = sliceMs
    this.#stepsPerLook = sliceMs === 0 ? 1 : MOST_STEPS_PER_LOOK
    this.#stepsLeft = this.#stepsPerLook
  }

  /** `look` as a function of its own, to pass on. */
  readonly pause = (): Promise<void> | undefined => this.look()

  /** Counts a short step, about a microsecond of work; on some calls, does what `look` does. */
  step(): Promise<void> | undefined {
    return --this.#stepsLeft > 0 ? undefined : this.#lookAfterSteps()
  }

  /**
   * Returns a promise if it is time for I/O and timers, resolved after their turn. `undefined`: go
   * on.
   */
  look(): Promise<void> | undefined {
    const now = this.#env.monotonic()
    this.#lookedAtMs = now
    if (this.#turn === undefined) {
      this.#endsAtMs = now + this.#sliceMs
      this.#turn = this.#env.yield().then(() => {
        this.#turn = undefined
      })
      return undefined
    }
    return now < this.#endsAtMs ? undefined : this.#turn
  }

  #lookAfterSteps(): Promise<void> | undefined {
    const before = this.#lookedAtMs
    const isWithinSlice = this.#turn !== undefined
    const turn = this.look()
    if (isWithinSlice && this.#sliceMs > 0) {
      const wantedMs = this.#sliceMs / LOOKS_PER_SLICE
      const tookMs = this.#lookedAtMs - before
      const fitting = Math.floor((this.#stepsPerLook * wantedMs) / Math.max(tookMs, wantedMs / 2))
      this.#stepsPerLook = Math.min(MOST_STEPS_PER_LOOK, Math.max(1, fitting))
    }
    const most = turn === undefined ? MOST_STEPS_PER_LOOK : MOST_STEPS_PER_LATE_LOOK
    this.#stepsLeft = Math.min(this.#stepsPerLook, most)
    return turn
  }
}
