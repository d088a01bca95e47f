import {
  type CompactionPlan,
  type CompactionResult,
  planInputs,
  planLeveled,
  runCompaction,
  storeFiles,
} from '@firn/compaction'
import { type Env, isFirnError } from '@firn/env'
import type { FileMeta } from '@firn/manifest'
import type { ObjectStore } from '@firn/object-store'
import type { CompactionReport } from '../database.js'
import type { Logger } from '../open-options.js'
import { BackgroundWork } from './background-work.js'
import type { Committer } from './committer.js'
import type { FileTable } from './file-table.js'
import { newFileId } from './file-writer.js'
import type { MaintenanceLease } from './maintenance-lease.js'
import type { Threads } from './threads.js'
import type { Tree } from './tree.js'
import type { VersionSet } from './version-set.js'

export interface CompactorOptions {
  env: Env
  store: ObjectStore
  incarnation: string
  files: FileTable
  versions: VersionSet
  committer: Committer
  logger: Logger | undefined
  /** Whether changes of the tree start compactions; else only `drain` does. */
  automatic: boolean
  /** Whether level 0 is merged when writes pause. In a cloud it would cost requests that reads may not save. */
  inPauses: boolean
  /** Where plans are carried out; `undefined`: on this thread, with pauses for others. */
  thread: Threads['compaction'] | undefined
  /** Deletes files that no entry will ever name. */
  discard: (files: readonly FileMeta[]) => Promise<void>
  lease: MaintenanceLease
  strategy: {
    targetFileBytes: number
    levelBaseBytes: number
    level0Trigger: number
    level0Limit: number
  }
  blockBytes: number | undefined
}

/** So long without a commit is a pause, in milliseconds. */
const PAUSE_MS = 50
/** So long a file that couldn't be read is left alone: its replies may have been damaged, not the file. */
const POISON_MS = 60_000
/** Files of level 0 that are merged in a pause. */
const PAUSE_TRIGGER = 2

/**
 * Keeps the tree in shape: as long as the strategy sees something to do, one compaction after the
 * other is carried out and committed. The entry is refused where its inputs are gone; then its
 * output is discarded. Files that can't be read are left alone from then on.
 */
export class Compactor {
  readonly #options: CompactorOptions
  readonly #work: BackgroundWork
  /** Files that couldn't be read, and when: monotonic time. */
  readonly #poisoned: Map<string, number> = new Map()
  readonly #stopped: AbortController = new AbortController()
  #watching = false
  /** Level 0 is to be merged before its trigger: writes pause, or somebody asked. */
  #eager = false
  /** How many wait for compactions, which then keep the process alive. */
  #awaited = 0
  /** The tree that called for nothing. */
  #settled: Tree | undefined
  readonly totals: CompactionReport = { compactions: 0, bytesRead: 0, bytesWritten: 0 }

  constructor(options: CompactorOptions) {
    this.#options = options
    this.#work = new BackgroundWork({
      env: options.env,
      step: (signal) => this.#compactOnce(signal),
      onRetry: (error) => options.logger?.warn('a compaction failed and is tried again', { error }),
      onGiveUp: (error) =>
        options.logger?.warn('compaction is given up until the tree changes', { error }),
    })
  }

  get running(): boolean {
    return this.#work.running
  }

  get failures(): number {
    return this.#work.failures
  }

  /** Starts compacting where the tree changed since it was last found in shape. */
  poke(): void {
    const { automatic, versions } = this.#options
    if (!automatic || versions.tree === this.#settled) return
    this.#work.poke()
    if (this.#options.inPauses) void this.#watchForPause()
  }

  /**
   * Several files of level 0 are cheap for a load, and dear for the reads that come after it. So once
   * writes pause, level 0 is merged before the trigger asks for it. The watch ends with the first
   * pause; a database that nobody writes to has none.
   */
  async #watchForPause(): Promise<void> {
    if (this.#watching) return
    this.#watching = true
    const { env, versions } = this.#options
    try {
      let version: number
      do {
        version = versions.visibleVersion
        await env.sleep(PAUSE_MS, this.#stopped.signal, { background: true })
      } while (version !== versions.visibleVersion)
      this.#eager = true
      this.#work.poke()
    } catch {
      // Stopped.
    } finally {
      this.#watching = false
    }
  }

  /** Compacts until the tree is in shape, and level 0 is empty. */
  async drain(): Promise<void> {
    this.#awaited++
    this.#eager = true
    try {
      await this.#work.drain()
    } finally {
      this.#awaited--
    }
  }

  stop(reason: unknown): Promise<void> {
    this.#stopped.abort(reason)
    return this.#work.stop(reason)
  }

  async #compactOnce(signal: AbortSignal): Promise<boolean> {
    const { env, files, versions, strategy } = this.#options
    const { tree } = versions
    const plan = planLeveled(versions.state, {
      ...strategy,
      ...(this.#eager ? { level0Trigger: PAUSE_TRIGGER } : {}),
      emptyLevel0: this.#awaited > 0,
      now: env.now(),
      poisoned: this.#avoided(),
      flushedTimestamp: versions.flushedTimestamp,
    })
    if (plan === undefined) {
      this.#eager = false
      // Later there may be more to do for the same tree.
      if (this.#poisoned.size === 0) this.#settled = tree
      return false
    }
    // Inputs stay on disk while they are read, whatever is committed meanwhile. (Holding the tree
    // would hold its memtables as well.)
    const inputs = planInputs(plan).map((meta) => files.retain(meta))
    try {
      const release = await this.#options.lease.hold(signal, this.#awaited > 0)
      if (release === undefined) return false
      try {
        await this.#commit(await this.#run(plan, signal))
      } catch (error) {
        this.#poison(error)
      } finally {
        await release()
      }
    } finally {
      for (const input of inputs) files.release(input)
    }
    return true
  }

  async #commit(result: CompactionResult): Promise<void> {
    const { committer, discard } = this.#options
    const { removed, added, floors } = result
    try {
      await committer.commitEdits([{ type: 'compact', removed, added, floors }])
    } catch (error) {
      // After any other error the entry may exist: then the files stay.
      if (!isFirnError(error, 'FIRN_COMMIT_CONFLICT')) throw error
      const old = new Set(removed)
      await discard(added.map(({ file }) => file).filter(({ id }) => !old.has(id)))
      return
    }
    this.totals.compactions++
    this.totals.bytesRead += result.bytesRead
    this.totals.bytesWritten += result.bytesWritten
  }

  #avoided(): Set<string> {
    const now = this.#options.env.monotonic()
    for (const [id, since] of this.#poisoned) {
      if (now - since >= POISON_MS) this.#poisoned.delete(id)
    }
    return new Set(this.#poisoned.keys())
  }

  /** Leaves alone, for a while, the input that a compaction failed to read; rethrows any other failure. */
  #poison(error: unknown): void {
    const { fileId } = error as { fileId?: unknown }
    if (!isFirnError(error, 'FIRN_CORRUPTION') || typeof fileId !== 'string') throw error
    this.#poisoned.set(fileId, this.#options.env.monotonic())
    this.#options.logger?.warn('compaction leaves a damaged file alone', { file: fileId, error })
  }

  #run(plan: CompactionPlan, signal: AbortSignal): Promise<CompactionResult> {
    const { env, store, incarnation, versions, thread, blockBytes } = this.#options
    if (thread !== undefined) {
      const keepAlive = this.#awaited > 0
      return thread.run(plan, { baseVersion: versions.state.version, keepAlive, signal })
    }
    return runCompaction(plan, {
      env,
      ...storeFiles(store, incarnation, { signal }),
      newFileId: () => newFileId(versions.state, env),
      ...(blockBytes === undefined ? {} : { blockBytes }),
      signal,
    })
  }
}
