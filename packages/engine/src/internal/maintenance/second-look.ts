import type { Env } from '@firn/env'

export interface SecondLookOptions {
  env: Env
  /** Starts the work that is left, if any. Never rejects. */
  look: () => Promise<void>
}

/**
 * An alarm for maintenance work that could not be done: another process had the lease, a service
 * was down, a file was unreadable. Commits start such work too, but there may be no commit. All
 * kinds of work share one alarm. It doesn't keep the process alive, and isn't set while nothing is
 * left to do.
 */
export class SecondLook {
  readonly #options: SecondLookOptions
  #alarm: AbortController | undefined
  /** When the alarm goes off, in monotonic time. */
  #dueAt = Number.POSITIVE_INFINITY
  #stopped = false

  constructor(options: SecondLookOptions) {
    this.#options = options
  }

  /** Looks in `ms` milliseconds, or earlier if something else is due earlier. */
  within(ms: number): void {
    const { env } = this.#options
    const dueAt = env.monotonic() + ms
    if (this.#stopped || this.#dueAt <= dueAt) return
    this.#alarm?.abort()
    const alarm = new AbortController()
    this.#alarm = alarm
    this.#dueAt = dueAt
    env.sleep(ms, alarm.signal, { background: true }).then(
      () => this.#ring(alarm),
      () => {},
    )
  }

  /** Ends the alarm for good. */
  stop(): void {
    this.#stopped = true
    this.#alarm?.abort()
  }

  #ring(alarm: AbortController): void {
    // A sleep may end at the same moment as it is aborted.
    if (this.#stopped || this.#alarm !== alarm) return
    this.#alarm = undefined
    this.#dueAt = Number.POSITIVE_INFINITY
    void this.#options.look()
  }
}
