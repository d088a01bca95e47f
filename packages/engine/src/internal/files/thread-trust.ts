import { type Env, isFirnError } from '@firn/env'
import type { Logger } from '../../open-options.js'

/** Threads that end in the middle of their work, in a row, before the work is done inline. */
const MOST_DEATHS = 3
/** How long work is done inline before a thread is tried again, in milliseconds. */
const DISTRUST_MS = 60_000

const THREAD_FAILURES: ReadonlySet<string> = new Set([
  'FIRN_COMPACTION_WORKER',
  'FIRN_THREAD_ENDED',
])

/**
 * Decides whether work is done in a thread or inline. It goes to a thread until none can be started
 * (a bundle lacks the thread's file, no file descriptor is left, the runtime refuses threads), or
 * several die of the work. From then on it is done inline, and a thread is tried again a while
 * later.
 */
export class ThreadTrust {
  readonly #env: Env
  readonly #logger: Logger | undefined
  /** Deaths in a row, by what the thread was to do. */
  readonly #deaths: Map<string, number> = new Map()
  #distrustedUntilMs = Number.NEGATIVE_INFINITY
  #hasWarned = false

  constructor(env: Env, logger: Logger | undefined) {
    this.#env = env
    this.#logger = logger
  }

  /** Throws what the work throws, and how a thread died that may do better next time. */
  async run<T>(
    what: 'flush' | 'compaction',
    inThread: () => Promise<T>,
    inline: () => Promise<T>,
  ): Promise<T> {
    if (this.#env.monotonic() < this.#distrustedUntilMs) return inline()
    try {
      const done = await inThread()
      this.#deaths.delete(what)
      return done
    } catch (error) {
      if (!isFirnError(error) || !THREAD_FAILURES.has(error.code)) throw error
      const deaths = (this.#deaths.get(what) ?? 0) + 1
      this.#deaths.set(what, deaths)
      const hadStarted = (error as { started?: unknown }).started === true
      if (hadStarted && deaths < MOST_DEATHS) throw error
      this.#deaths.delete(what)
      this.#distrust(error)
      return inline()
    }
  }

  #distrust(error: unknown): void {
    this.#distrustedUntilMs = this.#env.monotonic() + DISTRUST_MS
    if (this.#hasWarned) return
    this.#hasWarned = true
    this.#logger?.warn(
      "flushes and compactions can't be done in threads here, and are done on this one; mend the cause, ship the packages' files unbundled, or open with compaction: 'inline'",
      { error },
    )
  }
}
