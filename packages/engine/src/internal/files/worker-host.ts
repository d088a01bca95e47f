import { Worker } from 'node:worker_threads'
import type { CompactionResult } from '@firn/compaction'
import { ClosedError, FirnError, isError, systemEnv } from '@firn/env'
import type { FileMeta } from '@firn/manifest'
import type { WorkerThread } from './threads.js'
import {
  type CompactionRequest,
  type FlushRequest,
  recreateError,
  trimmed,
  type WorkerPlace,
  type WorkerReply,
  type WorkerRequest,
  type WorkerResult,
  type WorkerTask,
} from './worker-messages.js'

interface Run {
  resolve: (result: WorkerResult) => void
  reject: (error: unknown) => void
  /** Set when the run was asked to stop: its end is waited for until this aborts. */
  stopping: AbortController | undefined
}

export interface WorkerHostOptions extends WorkerPlace {
  /**
   * How long an aborted task may take to end, in milliseconds. After that its thread is terminated,
   * and the files it wrote stay behind. Default 10,000.
   */
  stopTimeoutMs?: number
}

const STOP_TIMEOUT_MS = 10_000

/** The thread couldn't be started, or ended before it answered. The next task starts another. */
class ThreadEndedError extends FirnError {
  /**
   * Whether the thread had loaded its code. If not, it will hardly do better next time: its file is
   * missing (a bundle without it), or the system refuses threads.
   */
  readonly started: boolean

  constructor(what: string, options: { cause?: unknown; started: boolean }) {
    const { cause, started } = options
    const why = isError(cause) ? ` (${cause.message})` : ''
    super('FIRN_THREAD_ENDED', `${what}${why}; nothing was changed, try again`, {
      cause,
      retryable: true,
    })
    this.started = started
  }
}

/**
 * Runs tasks in a worker thread (Node only). The thread starts with the first task and opens the
 * store itself. It doesn't keep the process alive, but callers that wait do (`Env.hold`). If the
 * thread can't start or dies, the running tasks fail with `ThreadEndedError`, and the next task
 * starts a new thread.
 */
export class WorkerHost implements WorkerThread {
  readonly #options: WorkerHostOptions
  readonly #runs: Map<number, Run> = new Map()
  #worker: Worker | undefined
  /** Whether the thread has reported that its code is loaded. */
  #hasStarted = false
  #nextId = 1
  #closing: Promise<void> | undefined
  #closed: (() => void) | undefined
  #idle: (() => void) | undefined

  constructor(options: WorkerHostOptions) {
    this.#options = options
  }

  flush(request: FlushRequest, signal: AbortSignal): Promise<FileMeta[]> {
    return this.#run({ type: 'flush', ...request }, signal) as Promise<FileMeta[]>
  }

  compact(request: CompactionRequest, signal: AbortSignal): Promise<CompactionResult> {
    const task = { type: 'compaction', ...trimmed(request) } as const
    return this.#run(task, signal) as Promise<CompactionResult>
  }

  /** Aborts running tasks, waits for them, and ends the thread. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  /**
   * Runs a task. Errors keep their code and message. After an abort it waits until the thread has
   * cleaned up, then throws the signal's reason, unless the task had finished.
   */
  async #run(task: WorkerTask, signal: AbortSignal): Promise<WorkerResult> {
    if (this.#closing !== undefined) throw new ClosedError('the worker thread is closed')
    signal.throwIfAborted()
    const id = this.#nextId++
    const result = new Promise<WorkerResult>((resolve, reject) => {
      this.#runs.set(id, { resolve, reject, stopping: undefined })
    })
    const onAbort = () => this.#stop(id)
    signal.addEventListener('abort', onAbort, { once: true })
    try {
      this.#worker ??= this.#start()
      this.#worker.postMessage({ type: 'run', id, task } satisfies WorkerRequest)
    } catch (error) {
      // The data can't be cloned, or no thread can be started.
      this.#takeOff(id)?.reject(error)
    }
    try {
      return await result
    } catch (error) {
      if (signal.aborted) throw signal.reason
      throw error
    } finally {
      signal.removeEventListener('abort', onAbort)
    }
  }

  async #close(): Promise<void> {
    const worker = this.#worker
    if (worker === undefined) return
    const closed = new Promise<void>((resolve) => {
      this.#closed = resolve
    })
    worker.ref()
    for (const [id, run] of this.#runs) {
      const { reject } = run
      // Finished work counts as done; anything else ends as closed.
      run.reject = () => reject(new ClosedError('the worker thread was closed during the task'))
      this.#stop(id)
    }
    if (this.#runs.size > 0) {
      await new Promise<void>((resolve) => {
        this.#idle = resolve
      })
    }
    if (this.#worker === worker) {
      worker.postMessage({ type: 'close' } satisfies WorkerRequest)
      await closed
      await worker.terminate()
    }
  }

  #stop(id: number): void {
    const run = this.#runs.get(id)
    const worker = this.#worker
    if (run === undefined || worker === undefined || run.stopping !== undefined) return
    run.stopping = new AbortController()
    worker.postMessage({ type: 'abort', id } satisfies WorkerRequest)
    const { stopTimeoutMs = STOP_TIMEOUT_MS } = this.#options
    systemEnv.sleep(stopTimeoutMs, run.stopping.signal, { background: true }).then(
      () => void worker.terminate(),
      () => {},
    )
  }

  /** Removes a run from the list: the caller settles it. */
  #takeOff(id: number): Run | undefined {
    const run = this.#runs.get(id)
    this.#runs.delete(id)
    run?.stopping?.abort()
    if (this.#runs.size === 0) this.#idle?.()
    return run
  }

  #start(): Worker {
    this.#hasStarted = false
    const worker = this.#newThread()
    let failure: unknown
    worker.on('message', (reply: WorkerReply) => this.#receive(reply))
    // An unreadable answer: it isn't known which task it belongs to.
    worker.on('messageerror', (error) => {
      failure = error
      void worker.terminate()
    })
    worker.on('error', (error) => {
      failure = error
    })
    worker.on('exit', (code) => {
      if (this.#worker !== worker) return
      this.#worker = undefined
      const started = this.#hasStarted
      const what = started ? 'ended' : 'ended before it had started,'
      const error = new ThreadEndedError(`the worker thread ${what} with code ${code}`, {
        cause: failure,
        started,
      })
      for (const id of [...this.#runs.keys()]) this.#takeOff(id)?.reject(error)
      this.#closed?.()
    })
    worker.unref()
    return worker
  }

  #newThread(): Worker {
    const { stopTimeoutMs: _, ...place } = this.#options
    try {
      return new Worker(new URL('./worker-main.js', import.meta.url), {
        workerData: place,
        // The process's flags, such as --input-type, don't apply to the thread's script.
        execArgv: [],
        name: 'firn-worker',
        // The thread makes little garbage. V8's own limit takes 25 MB more memory, and no less
        // time.
        resourceLimits: { maxYoungGenerationSizeMb: 8 },
      })
    } catch (cause) {
      throw new ThreadEndedError('the worker thread could not be started', {
        cause,
        started: false,
      })
    }
  }

  #receive(reply: WorkerReply): void {
    if (reply.type === 'ready') this.#hasStarted = true
    else if (reply.type === 'closed') this.#closed?.()
    else if (reply.type === 'done') this.#takeOff(reply.id)?.resolve(reply.result)
    else this.#takeOff(reply.id)?.reject(recreateError(reply.error))
  }
}
