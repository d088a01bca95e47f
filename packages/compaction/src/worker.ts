import { Worker } from 'node:worker_threads'
import { ClosedError, InvalidArgumentError, isError, systemEnv } from '@firn/env'
import { absolutePath } from '@firn/vfs'
import { CompactionWorkerError } from './errors.js'
import {
  type FsStoreDescription,
  recreateError,
  trimmed,
  type WorkerReply,
  type WorkerRequest,
  type WorkerTuning,
} from './internal/worker-messages.js'
import type { CompactionPlan, CompactionResult } from './plan.js'
import type { CompactionProgress } from './run-compaction.js'

export { CompactionWorkerError } from './errors.js'
export type { FsStoreDescription, WorkerTuning } from './internal/worker-messages.js'

export interface CompactionWorkerOptions extends WorkerTuning {
  store: FsStoreDescription
  incarnation: string
  /**
   * How long a run that was aborted may take to end, in milliseconds. After that its thread is
   * ended, and what it wrote stays behind. Default 10,000.
   */
  stopTimeoutMs?: number
}

export interface WorkerRunOptions {
  /** The version of the state that the plan was made for: new files are named after it. */
  baseVersion: number
  /**
   * Whether the process stays alive until the run ends. Default true; `false` is for a caller that
   * nobody waits for, or that keeps the process alive itself.
   */
  keepAlive?: boolean
  onProgress?: (progress: CompactionProgress) => void
  signal?: AbortSignal
}

interface Run {
  readonly keepAlive: boolean
  readonly onProgress: ((progress: CompactionProgress) => void) | undefined
  resolve: (result: CompactionResult) => void
  reject: (error: unknown) => void
  /** Asked to stop: its end is waited for, until this aborts. */
  stopping: AbortController | undefined
}

const STOP_TIMEOUT_MS = 10_000

/**
 * Compacts a database on a file system in a thread of its own (Node only). The thread starts with
 * the first run and opens the store itself. Runs keep the process alive, unless they are told not
 * to; an idle thread doesn't. If the thread can't start or dies, the runs under way fail with
 * `CompactionWorkerError`, and the next one starts a new thread.
 */
export class CompactionWorker {
  readonly #options: CompactionWorkerOptions
  readonly #runs: Map<number, Run> = new Map()
  #worker: Worker | undefined
  /** Whether the thread has said that its code is loaded. */
  #started = false
  #nextId = 1
  #closing: Promise<void> | undefined
  #closed: (() => void) | undefined
  #idle: (() => void) | undefined

  constructor(options: CompactionWorkerOptions) {
    const directory = absolutePath(options.store.directory, 'the directory of the store')
    this.#options = { ...options, store: { ...options.store, directory } }
  }

  /**
   * As `runCompaction`: the result is the caller's to commit. Errors keep their code and message,
   * damaged inputs their file. After an abort it waits until the thread has cleaned up, then throws
   * the signal's reason. Throws `InvalidArgumentError` for a plan that needs statistics collectors:
   * functions can't be sent to a thread.
   */
  async run(plan: CompactionPlan, options: WorkerRunOptions): Promise<CompactionResult> {
    const { baseVersion, signal, onProgress, keepAlive = true } = options
    if (this.#closing !== undefined) throw new ClosedError('the compaction worker is closed')
    signal?.throwIfAborted()
    const needy = needsCollectors(plan)
    if (needy !== undefined) {
      throw new InvalidArgumentError(
        `table ${needy} has statistics collectors, which can't be sent to a thread; compact inline`,
      )
    }
    const id = this.#nextId++
    const { store, incarnation, blockBytes, filterBitsPerKey, readAheadBytes } = this.#options
    const tuning: WorkerTuning = {
      ...(blockBytes === undefined ? {} : { blockBytes }),
      ...(filterBitsPerKey === undefined ? {} : { filterBitsPerKey }),
      ...(readAheadBytes === undefined ? {} : { readAheadBytes }),
    }
    const request = trimmed({
      type: 'run',
      id,
      plan,
      store,
      incarnation,
      baseVersion,
      tuning,
    } as const)
    const result = new Promise<CompactionResult>((resolve, reject) => {
      this.#runs.set(id, { keepAlive, onProgress, resolve, reject, stopping: undefined })
    })
    const onAbort = () => this.#stop(id)
    signal?.addEventListener('abort', onAbort, { once: true })
    try {
      this.#post(request)
    } catch (error) {
      // Data that can't be cloned, or no thread to be had.
      this.#takeOff(id)?.reject(error)
    }
    try {
      return await result
    } catch (error) {
      if (signal?.aborted === true) throw signal.reason
      throw error
    } finally {
      signal?.removeEventListener('abort', onAbort)
    }
  }

  /** Aborts what runs, waits for it, and ends the thread. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
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
      // What was done by then is done; anything else ends as closed.
      run.reject = () => reject(new ClosedError('the compaction worker was closed during the run'))
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

  #post(request: WorkerRequest): void {
    this.#worker ??= this.#start()
    this.#holdProcess()
    this.#worker.postMessage(request)
  }

  #stop(id: number): void {
    const run = this.#runs.get(id)
    const worker = this.#worker
    if (run === undefined || worker === undefined || run.stopping !== undefined) return
    run.stopping = new AbortController()
    this.#post({ type: 'abort', id })
    const { stopTimeoutMs = STOP_TIMEOUT_MS } = this.#options
    systemEnv.sleep(stopTimeoutMs, run.stopping.signal, { background: true }).then(
      () => void worker.terminate(),
      () => {},
    )
  }

  /** Takes a run off the list: whoever gets it settles it. */
  #takeOff(id: number): Run | undefined {
    const run = this.#runs.get(id)
    this.#runs.delete(id)
    run?.stopping?.abort()
    this.#holdProcess()
    if (this.#runs.size === 0) this.#idle?.()
    return run
  }

  #start(): Worker {
    this.#started = false
    const worker = this.#newThread()
    let failure: unknown
    worker.on('message', (reply: WorkerReply) => this.#receive(reply))
    // An answer that can't be read: whose it was isn't known.
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
      const started = this.#started
      const what = started ? 'ended' : 'ended before it had started,'
      const error = new CompactionWorkerError(
        `the compaction thread ${what} with code ${code}${because(failure)}; nothing was changed, try again`,
        { cause: failure, started },
      )
      for (const id of [...this.#runs.keys()]) this.#takeOff(id)?.reject(error)
      this.#closed?.()
    })
    worker.unref()
    return worker
  }

  #newThread(): Worker {
    try {
      // Flags such as --input-type of the process make no sense to the thread's script.
      return new Worker(new URL('./internal/worker-main.js', import.meta.url), {
        execArgv: [],
        name: 'firn-compaction',
        // V8's own limit takes 25 MB more of memory, and no less time.
        resourceLimits: { maxYoungGenerationSizeMb: 8 },
      })
    } catch (cause) {
      throw new CompactionWorkerError(
        `the compaction thread could not be started${because(cause)}; nothing was changed`,
        { cause, started: false },
      )
    }
  }

  #receive(reply: WorkerReply): void {
    if (reply.type === 'ready') {
      this.#started = true
      return
    }
    if (reply.type === 'closed') {
      this.#closed?.()
      return
    }
    if (reply.type === 'progress') this.#runs.get(reply.id)?.onProgress?.(reply.progress)
    else if (reply.type === 'done') this.#takeOff(reply.id)?.resolve(reply.result)
    else this.#takeOff(reply.id)?.reject(recreateError(reply.error))
  }

  /** An end that somebody waits for must come, so the process stays; other runs don't hold it. */
  #holdProcess(): void {
    const worker = this.#worker
    if (worker === undefined) return
    const held = [...this.#runs.values()].some(
      ({ keepAlive, stopping }) => keepAlive || stopping !== undefined,
    )
    if (held || this.#closing !== undefined) worker.ref()
    else worker.unref()
  }
}

function because(cause: unknown): string {
  return isError(cause) ? ` (${cause.message})` : ''
}

function needsCollectors(plan: CompactionPlan): number | undefined {
  if (plan.type !== 'merge' || plan.outputLevel === 0) return undefined
  return plan.tables.find(({ statistics }) => statistics.length > 0)?.id
}
