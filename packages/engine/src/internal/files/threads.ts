import type { CompactionResult } from '@firn/compaction'
import { type Env, isFirnError } from '@firn/env'
import type { FileMeta } from '@firn/manifest'
import type { Logger } from '../../open-options.js'
import type { CompactionRequest, FlushRequest } from './worker-messages.js'

/** Another thread that can open the database's store. */
export interface WorkerThread {
  flush(request: FlushRequest, signal: AbortSignal): Promise<FileMeta[]>
  compact(request: CompactionRequest, signal: AbortSignal): Promise<CompactionResult>
  close(): Promise<void>
}

/** Threads that end in the middle of their work, in a row, before the work is done inline. */
const MOST_DEATHS = 3
/** How long work is done inline before a thread is tried again, in milliseconds. */
const DISTRUST_MS = 60_000

/**
 * Decides whether work is done in a thread or inline. It goes to a thread until none can be started
 * (a bundle lacks the thread's file, no file descriptor is left, the runtime refuses threads), or
 * several die of the work. From then on it is done inline, and a thread is tried again a while
 * later.
 */
export class Threads {
  readonly #env: Env
  readonly #logger: Logger | undefined
  readonly #worker: WorkerThread | undefined
  /** Deaths in a row, by what the thread was to do: it may die of something else as well. */
  readonly #deaths: Map<string, number> = new Map()
  #distrustedUntilMs = Number.NEGATIVE_INFINITY
  #hasWarned = false

  /** `worker` is `undefined` if everything is done inline. */
  constructor(env: Env, logger: Logger | undefined, worker: WorkerThread | undefined) {
    this.#env = env
    this.#logger = logger
    this.#worker = worker
  }

  /** Throws what the work throws, and how a thread died that may do better next time. */
  run<T>(
    work: 'flush' | 'compaction',
    inThread: (thread: WorkerThread) => Promise<T>,
    inline: () => Promise<T>,
  ): Promise<T> {
    const worker = this.#worker
    if (worker === undefined || this.#env.monotonic() < this.#distrustedUntilMs) return inline()
    return inThread(worker).then(
      (done) => {
        this.#deaths.delete(work)
        return done
      },
      (error: unknown) => this.#failed(work, error, inline),
    )
  }

  async close(): Promise<void> {
    await this.#worker?.close()
  }

  #failed<T>(work: string, error: unknown, inline: () => Promise<T>): Promise<T> {
    if (!isFirnError(error, 'FIRN_THREAD_ENDED')) throw error
    const deaths = (this.#deaths.get(work) ?? 0) + 1
    this.#deaths.set(work, deaths)
    const hadStarted = (error as { started?: unknown }).started === true
    if (hadStarted && deaths < MOST_DEATHS) throw error
    this.#deaths.delete(work)
    this.#distrust(error)
    return inline()
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
