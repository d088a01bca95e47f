import { Worker } from 'node:worker_threads'
import { FirnError, isError, systemEnv } from '@firn/env'
import type { FileMeta } from '@firn/manifest'
import type { FlushReply, FlushRequest, FlushStore } from './flush-thread-main.js'

/** How long a flush that nobody waits for may take to end, in milliseconds: its thread may hang. */
const STOP_TIMEOUT_MS = 10_000

/**
 * The flush thread couldn't be started, or ended before it answered. The next flush starts another.
 */
class FlushThreadError extends FirnError {
  /** Whether the thread had loaded its code. */
  readonly started: boolean

  constructor(what: string, options: { cause?: unknown; started: boolean }) {
    const { cause, started } = options
    const why = isError(cause) ? ` (${cause.message})` : ''
    super('FIRN_THREAD_ENDED', `the flush thread ${what}${why}`, { cause, retryable: true })
    this.started = started
  }
}

/**
 * A thread that writes memtables to files, one at a time. It is started by the first flush, and
 * doesn't keep the process alive: callers that wait do (`Env.hold`).
 */
export class FlushThread {
  readonly #store: FlushStore
  #worker: Worker | undefined
  /** Whether the thread has said that its code is loaded. */
  #hasStarted = false

  constructor(store: FlushStore) {
    this.#store = store
  }

  /**
   * The files that hold the memtable's records. Throws what the thread's store throws, and
   * `FlushThreadError`. It is done in spite of the signal, if it takes no longer than
   * `STOP_TIMEOUT_MS`.
   */
  async flush(request: FlushRequest, signal: AbortSignal): Promise<FileMeta[]> {
    const worker = this.#running()
    const ended = new AbortController()
    const onAbort = (): void => {
      systemEnv.sleep(STOP_TIMEOUT_MS, ended.signal, { background: true }).then(
        () => void worker.terminate(),
        () => {},
      )
    }
    return new Promise<FileMeta[]>((resolve, reject) => {
      let failure: unknown
      const settle = (finish: () => void): void => {
        worker.off('message', onReply)
        worker.off('messageerror', onUnreadable)
        worker.off('error', onError)
        worker.off('exit', onExit)
        signal.removeEventListener('abort', onAbort)
        ended.abort()
        finish()
      }
      const onReply = (reply: FlushReply): void => {
        if ('ready' in reply) return
        settle(() => {
          if ('files' in reply) resolve(reply.files)
          else reject(errorOf(reply.error))
        })
      }
      const onError = (error: unknown): void => {
        failure = error
      }
      const onUnreadable = (error: unknown): void => {
        failure = error
        void worker.terminate()
      }
      const onExit = (code: number): void => {
        if (this.#worker === worker) this.#worker = undefined
        const started = this.#hasStarted
        const what = started ? 'ended' : 'ended before it had started,'
        settle(() =>
          reject(new FlushThreadError(`${what} with code ${code}`, { cause: failure, started })),
        )
      }
      worker.on('message', onReply)
      worker.on('messageerror', onUnreadable)
      worker.on('error', onError)
      worker.on('exit', onExit)
      if (signal.aborted) onAbort()
      else signal.addEventListener('abort', onAbort, { once: true })
      try {
        worker.postMessage(request)
      } catch (error) {
        settle(() => reject(error))
      }
    })
  }

  async close(): Promise<void> {
    const worker = this.#worker
    this.#worker = undefined
    await worker?.terminate()
  }

  #running(): Worker {
    if (this.#worker === undefined) {
      this.#hasStarted = false
      const worker = this.#newThread()
      worker.on('message', (reply: FlushReply) => {
        if ('ready' in reply && this.#worker === worker) this.#hasStarted = true
      })
      // Between flushes nobody is to be told; without a listener it would end the process.
      worker.on('error', () => {})
      worker.on('exit', () => {
        if (this.#worker === worker) this.#worker = undefined
      })
      worker.unref()
      this.#worker = worker
    }
    return this.#worker
  }

  #newThread(): Worker {
    try {
      return new Worker(new URL('./flush-thread-main.js', import.meta.url), {
        workerData: this.#store,
        // Flags such as --input-type of the process make no sense to the thread's script.
        execArgv: [],
        name: 'firn-flush',
        // It makes little garbage. V8 would take three times as much for new objects.
        resourceLimits: { maxYoungGenerationSizeMb: 8 },
      })
    } catch (cause) {
      throw new FlushThreadError('could not be started', { cause, started: false })
    }
  }
}

function errorOf(error: { code: string | undefined; message: string; retryable: boolean }): Error {
  if (error.code === undefined) return new Error(error.message)
  return new FirnError(error.code, error.message, { retryable: error.retryable })
}
