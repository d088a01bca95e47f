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

/**
 * Number of threads in a row that may die in the middle of their work, before the work is done
 * inline.
 */
const MOST_DEATHS = 3
/** How long work is done inline before a thread is tried again, in milliseconds. */
const DISTRUST_MS = 60_000

/**
 * Runs work in a thread or inline. Work goes to a thread until none can be started (a bundle lacks
 * the thread's file, no file descriptor is left, the runtime refuses threads), or several die of
 * it. From then on it is done inline, and a thread is tried again a while later.
 */
export class Threads {
  readonly #env: Env
  readonly #logger: Logger | undefined
  readonly #worker: WorkerThread | undefined
  /** Deaths in a row, by kind of work: a thread may die of something else as well. */
  readonly #deaths: Map<string, number> = new Map()
  #distrustedUntilMs = Number.NEGATIVE_INFINITY
  #hasWarned = false

  /** `worker` is `undefined` if everything is done inline. */
  constructor(env: Env, logger: Logger | undefined, worker: WorkerThread | undefined) {
    this.#env = env
    this.#logger = logger
    this.#worker = worker
  }

  /**
   * Runs the work. Throws what the work throws; also a thread's death, if the next thread may do
   * better.
   */
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
