import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import { systemEnv } from '@firn/env'
import { type SeedOrder, seedOf, type WorkerTask } from './seed-order.js'
import type { SeedResult } from './seed-result.js'
import { Share } from './share.js'
import { Tally } from './tally.js'

export interface RunSeedsOptions {
  /** The first seed. Default: 1. */
  from?: number
  /** How many seeds. */
  seeds: number
  /**
   * Runs every seed once more, later and mostly in another thread. A seed fails if its hash
   * differs.
   */
  twice?: boolean
  /** How many threads. Default: as many as there are cores. */
  workers?: number
  /** URL of a module that exports `runSeed`, to replace the usual one: a thread imports it. */
  module?: string
  /** How long a run may take, in real time, before its thread is ended. Default: five minutes. */
  longestMs?: number
  /** Called for every run when it ends. */
  onResult?: (result: SeedResult, tally: Tally) => void
  /** Ends early: no more runs are begun. */
  signal?: AbortSignal | undefined
}

/** Returns built code, even if this file runs from its source. */
const built = (path: string): URL => new URL(`../../dist/${path}`, import.meta.url)
const WORKER = built('runner/seed-worker.js')
const LONGEST_MS = 300_000
const LOOK_MS = 1000
/** Most objects of a run live briefly: a large nursery avoids copying them. */
const MEMORY = { maxYoungGenerationSizeMb: 64, maxOldGenerationSizeMb: 2048 }

/** Runs many seeds in threads, on all cores. A thread that dies or hangs fails its seed. */
export async function runSeeds(options: RunSeedsOptions): Promise<Tally> {
  const runner = new Runner(options)
  await runner.run()
  return runner.tally
}

class Runner {
  readonly tally: Tally = new Tally()
  readonly #options: RunSeedsOptions
  readonly #order: SeedOrder
  readonly #share: Share
  readonly #workers: number
  /** Hashes of the runs so far, by seed. */
  readonly #hashes: Map<number, string> = new Map()

  constructor(options: RunSeedsOptions) {
    const { from = 1, seeds, twice = false, workers = availableParallelism() } = options
    this.#options = options
    this.#order = { from, seeds, runs: twice ? 2 * seeds : seeds }
    this.#workers = Math.max(1, Math.min(workers, seeds))
    this.#share = new Share(this.#workers)
  }

  async run(): Promise<void> {
    const { signal } = this.#options
    const stop = (): void => this.#share.stop()
    signal?.addEventListener('abort', stop, { once: true })
    if (signal?.aborted === true) stop()
    await Promise.all(Array.from({ length: this.#workers }, (_, worker) => this.#work(worker)))
    signal?.removeEventListener('abort', stop)
  }

  /** Keeps a thread at work until no run is left. */
  async #work(worker: number): Promise<void> {
    for (;;) {
      const end = await this.#thread(worker)
      const run = this.#share.takenBy(worker)
      if (run === undefined) {
        if (end !== undefined) throw new Error(`a thread that runs seeds ended: ${end}`)
        return
      }
      const seed = seedOf(this.#order, run)
      const failure = `its thread ended: ${end ?? 'of its own accord'}`
      this.#add({ seed, hash: '', events: 0, operations: new Map(), faults: new Map(), failure })
    }
  }

  /** Runs one thread from its start to its end. Returns why it ended too early, if it did. */
  async #thread(worker: number): Promise<string | undefined> {
    const { module = built('run-seed.js').href, longestMs = LONGEST_MS } = this.#options
    const task: WorkerTask = { module, shared: this.#share.buffer, worker, order: this.#order }
    const thread = new Worker(WORKER, { workerData: task, resourceLimits: MEMORY })
    let toldAt = systemEnv.monotonic()
    let end: string | undefined
    thread.on('message', (result: SeedResult) => {
      toldAt = systemEnv.monotonic()
      this.#add(result)
    })
    thread.on('error', (error) => {
      end ??= String(error)
    })
    const ended = new AbortController()
    thread.on('exit', () => ended.abort())
    while (!ended.signal.aborted) {
      await systemEnv.sleep(LOOK_MS, ended.signal).catch(() => {})
      if (ended.signal.aborted || systemEnv.monotonic() - toldAt < longestMs) continue
      end = `it took more than ${longestMs} ms`
      await thread.terminate()
    }
    return end
  }

  #add(result: SeedResult): void {
    const { seed, hash } = result
    const before = this.#hashes.get(seed)
    if (this.#options.twice === true) this.#hashes.set(seed, hash)
    const failure =
      before === undefined || before === hash
        ? result.failure
        : `run twice it has two hashes, ${before} and ${hash}`
    const checked = { ...result, failure }
    this.tally.add(checked)
    this.#options.onResult?.(checked, this.tally)
  }
}
