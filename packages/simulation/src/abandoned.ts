import { getEventListeners } from 'node:events'
import { ABANDONED } from './history.js'
import type { Life } from './sim-process.js'
import { Violation } from './violation.js'

/** Why a client stopped waiting for a call: the reason of its signal. */
export class Abandoned extends Error {
  readonly code: string = ABANDONED
  readonly #life: Life
  readonly #sinceMs: number
  /** Its process hears of it when the turn of the event loop is over. */
  readonly #heardMs: number

  constructor(life: Life) {
    super('the client gave up')
    this.#life = life
    this.#sinceMs = life.world.nowMs
    this.#heardMs = Math.max(this.#sinceMs, life.busyUntilMs)
  }

  /** Throws a `Violation` where a call that ends now went on for a while. */
  assertPrompt(what: string): void {
    const { world, wokenMs } = this.#life
    if (world.nowMs <= Math.max(this.#heardMs, wokenMs)) return
    const lingeredMs = world.nowMs - this.#sinceMs
    throw new Violation(`${what} ended ${lingeredMs} ms after its client gave up`)
  }
}

/** The patience of a client that may give up a call, which has to be made at once. */
export class Patience {
  /** Whether it had ended before the call was made. */
  readonly endedBefore: boolean
  readonly #controller: AbortController = new AbortController()
  readonly #cancel: (() => void) | undefined

  /** It ends after so long; before the call, for 0. */
  constructor(life: Life, afterMs: number) {
    const end = (): void => this.#controller.abort(new Abandoned(life))
    this.endedBefore = afterMs === 0
    if (this.endedBefore) end()
    else this.#cancel = life.after(afterMs, 'a client gives up', end)
  }

  get signal(): AbortSignal {
    return this.#controller.signal
  }

  /**
   * The call is over. Gives whether something still listens to the signal, which nothing should.
   */
  end(): boolean {
    this.#cancel?.()
    const { signal } = this
    return !signal.aborted && getEventListeners(signal, 'abort').length > 0
  }
}
