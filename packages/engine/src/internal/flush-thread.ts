import { Worker } from 'node:worker_threads'
import { FirnError } from '@firn/env'
import type { FileMeta } from '@firn/manifest'
import type { FlushReply, FlushRequest } from './flush-thread-main.js'

/**
 * A thread that writes memtables to files, one at a time. It is started by the first flush, and keeps
 * the process alive only while it works.
 */
export class FlushThread {
  readonly #directory: string
  #worker: Worker | undefined

  constructor(directory: string) {
    this.#directory = directory
  }

  /** The files that hold the memtable's records. Throws what the thread's store throws. */
  flush(request: FlushRequest): Promise<FileMeta[]> {
    const worker = this.#started()
    worker.ref()
    return new Promise<FileMeta[]>((resolve, reject) => {
      const settle = (finish: () => void): void => {
        worker.off('message', onReply)
        worker.off('error', onError)
        worker.off('exit', onExit)
        worker.unref()
        finish()
      }
      const onReply = (reply: FlushReply): void =>
        settle(() => {
          if ('files' in reply) resolve(reply.files)
          else reject(errorOf(reply.error))
        })
      const onError = (error: unknown): void => {
        this.#worker = undefined
        settle(() => reject(error))
      }
      const onExit = (): void =>
        onError(new FirnError('FIRN_THREAD_ENDED', 'the flush thread ended'))
      worker.on('message', onReply)
      worker.on('error', onError)
      worker.on('exit', onExit)
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

  #started(): Worker {
    if (this.#worker === undefined) {
      const worker = new Worker(new URL('./flush-thread-main.js', import.meta.url), {
        workerData: { directory: this.#directory },
        // It makes little garbage. V8 would take three times as much for new objects.
        resourceLimits: { maxYoungGenerationSizeMb: 8 },
      })
      worker.on('exit', () => {
        if (this.#worker === worker) this.#worker = undefined
      })
      this.#worker = worker
    }
    return this.#worker
  }
}

function errorOf(error: { code: string | undefined; message: string; retryable: boolean }): Error {
  if (error.code === undefined) return new Error(error.message)
  return new FirnError(error.code, error.message, { retryable: error.retryable })
}
