import { type Env, waitFor } from '@firn/env'

/** The longest time that writes are held up, in milliseconds. */
const MAX_HOLD_MS = 5_000

/** A hold on the writes of this process, which wait while it lasts. */
export interface Hold {
  /** Whether the hold took too long, and writes go on already. */
  readonly expired: boolean
  release(): void
}

/**
 * Holds up the writes of a process for one transaction at a time, so that they don't contradict it
 * again and again. The hold is bounded in time, because the transaction's own function may wait for
 * a write.
 */
export class WriteHold {
  readonly #env: Env
  #wait: Promise<void> | undefined
  #end: () => void = () => {}

  constructor(env: Env) {
    this.#env = env
  }

  /** The hold that a write has to wait for. */
  get wait(): Promise<void> | undefined {
    return this.#wait
  }

  /** Holds writes up as soon as no other transaction does. */
  async take(signal: AbortSignal | undefined): Promise<Hold> {
    while (this.#wait !== undefined) await waitFor(this.#wait, signal)
    const timer = new AbortController()
    let expired = false
    let open: () => void = () => {}
    this.#wait = new Promise((resolve) => {
      open = resolve
    })
    let released = false
    const release = (): void => {
      if (released) return
      released = true
      this.#wait = undefined
      timer.abort('released')
      open()
    }
    this.#end = release
    // Keeps the process alive: a write may be all that the process waits for.
    this.#env.sleep(MAX_HOLD_MS, timer.signal).then(
      () => {
        expired = !released
        release()
      },
      () => {},
    )
    return {
      get expired() {
        return expired
      },
      release,
    }
  }

  /** Lets all writes go on. */
  end(): void {
    this.#end()
  }
}
