import { getEventListeners } from 'node:events'
import { ABANDONED } from './history.js'
import type { Life } from './sim-process.js'
import { Violation } from './violation.js'

/** The reason of a client's signal: why the client stopped waiting for a call. */
export class Abandoned extends Error {
  readonly code: string = ABANDONED
  readonly #life: Life
  readonly #sinceMs: number
  /** When the turn of the event loop is over, and its process notices. */
  readonly #heardMs: number

  constructor(life: Life) {
    super('the client gave up')
    this.#life = life
    this.#sinceMs = life.world.nowMs
    this.#heardMs = Math.max(this.#sinceMs, life.busyUntilMs)
  }

  /** Throws a `Violation` if a call that ends now went on for a while. */
  assertPrompt(what: string): void {
    const { world, wokenMs } = this.#life
    if (world.nowMs <= Math.max(this.#heardMs, wokenMs)) return
    const lingeredMs = world.nowMs - this.#sinceMs
    throw new Violation(`${what} ended ${lingeredMs} ms after its client gave up`)
  }
}

/** The patience of a client that may give up a call. The call must be made at once. */
export class Patience {
  /** Whether the patience had ended before the call was made. */
  readonly endedBefore: boolean
  readonly #controller: AbortController = new AbortController()
  readonly #cancel: (() => void) | undefined

  /** Ends after this time; for 0, before the call. */
  constructor(life: Life, afterMs: number) {
    const end = (): void => this.#controller.abort(new Abandoned(life))
    this.endedBefore = afterMs === 0
    if (this.endedBefore) end()
    else this.#cancel = life.after(afterMs, 'a client gives up', end)
  }

  get signal(): AbortSignal {
    return this.#controller.signal
  }

  /** Ends the call. Returns whether anything still listens to the signal, which must not be. */
  end(): boolean {
    this.#cancel?.()
    const { signal } = this
    return !signal.aborted && getEventListeners(signal, 'abort').length > 0
  }
}
