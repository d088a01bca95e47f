import type { Env } from '@firn/env'
import type { Logger } from '../../open-options.js'
import type { WritePressure } from '../commit/write-pressure.js'

/** Pause between looks for relief while writers wait, in milliseconds. */
const RELIEF_MS = 500

export interface WriteReliefOptions {
  env: Env
  pressure: WritePressure
  logger: Logger | undefined
  /** Whether this process compacts in the background. */
  compacts: boolean
  /**
   * Reads a shared log up to its end, and starts flushes and compactions that are due. Never
   * rejects.
   */
  look: () => Promise<void>
}

/**
 * Looks for relief while writers wait: only a look at a shared log shows that another process has
 * relieved it, and background work that was given up is tried again. A writer whose relief keeps
 * failing therefore waits for this pause and one round of attempts (see `BackgroundWork`): about 4
 * s, and the time that the attempts take.
 */
export class WriteRelief {
  readonly #options: WriteReliefOptions
  readonly #stopped: AbortController = new AbortController()
  #isLooking = false
  #hasWarned = false

  constructor(options: WriteReliefOptions) {
    this.#options = options
  }

  /** Starts the search. Call it when a writer begins to wait. */
  start(): void {
    this.#warnOnce()
    if (!this.#isLooking) void this.#look()
  }

  /** Ends the search when no more writes will come. */
  stop(): void {
    this.#stopped.abort()
  }

  async #look(): Promise<void> {
    const { env, pressure, look } = this.#options
    const { signal } = this.#stopped
    this.#isLooking = true
    while (pressure.waiting > 0 && !signal.aborted) {
      // Waiting writers keep the process alive; this pause needn't.
      await env.sleep(RELIEF_MS, signal, { background: true }).catch(() => {})
      if (pressure.waiting === 0 || signal.aborted) break
      await look()
    }
    this.#isLooking = false
  }

  #warnOnce(): void {
    const { pressure, logger, compacts } = this.#options
    if (compacts || this.#hasWarned || pressure.blockedBy !== 'compaction') return
    this.#hasWarned = true
    logger?.warn(
      "writes wait until level 0 is compacted, which compaction: 'off' leaves to others; call db.compact(), or run firn compact if the log is shared",
    )
  }
}
