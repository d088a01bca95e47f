import {
  type CompactionPlan,
  type CompactionResult,
  planInputs,
  planLeveled,
  runCompaction,
} from '@firn/compaction'
import { type Env, isFirnError } from '@firn/env'
import { sstKey } from '@firn/manifest'
import { TimestampClock } from '@firn/mvcc'
import type { ObjectStore } from '@firn/object-store'
import { storeFiles } from '@firn/sst/store'
import type { CompactionReport, SkippedFile } from '../../database.js'
import type { Logger } from '../../open-options.js'
import { commitFiles } from '../commit/commit-files.js'
import type { Committer } from '../commit/committer.js'
import type { PressureLimits, WritePressure } from '../commit/write-pressure.js'
import type { FileCache } from '../files/file-cache.js'
import { type FileWriter, newFileId } from '../files/file-writer.js'
import type { Threads } from '../files/threads.js'
import { tablesIn } from '../view/table-summary.js'
import type { VersionSet } from '../view/version-set.js'
import type { View } from '../view/view.js'
import { BackgroundWork } from './background-work.js'
import type { MaintenanceLease } from './maintenance-lease.js'
import type { SecondLook } from './second-look.js'

export interface CompactorOptions {
  env: Env
  store: ObjectStore
  incarnation: string
  files: FileCache
  versions: VersionSet
  committer: Committer
  logger: Logger | undefined
  /** Whether changes of the view start compactions; else only `drain` does. */
  automatic: boolean
  /**
   * Whether level 0 is merged when writes pause. In a cloud it would cost requests that reads may
   * not save.
   */
  inPauses: boolean
  /** Where plans are carried out, if not on this thread, with pauses for others. */
  threads: Threads
  /** Told when compacting was given up, or when nothing can be done but for a damaged file. */
  pressure: WritePressure
  /** Deletes what was written in vain. */
  writer: FileWriter
  lease: MaintenanceLease
  secondLook: SecondLook
  shape: TreeShape
  /** What compaction has to stay below. */
  limits: PressureLimits
  blockBytes: number | undefined
}

/** When files are merged, and how large they and their levels become. */
export interface TreeShape {
  /** Size of the files that compaction writes. */
  targetFileBytes: number
  /** Size of level 1. */
  levelBaseBytes: number
  /** Files of level 0 from which on they are merged. */
  level0Trigger: number
}

/** Files of level 0 that are merged down even if most of the work would be level 1's. */
const LEVEL0_LIMIT = 12
/** So long without a commit is a pause, in milliseconds. */
const PAUSE_MS = 50
/**
 * How long a file that couldn't be read is left alone: its replies may have been damaged, not the
 * file. Each time it is read in vain, it is left alone twice as long, up to a limit.
 */
const POISON_MS = 60_000
const MOST_POISON_MS = 15 * 60_000
/**
 * How long a view stays in shape by itself, in microseconds. What it holds grows old, and may go.
 */
const SETTLED_MICROS = 60_000_000
/** Files of level 0 that are merged in a pause. */
const PAUSE_TRIGGER = 2

interface PoisonedFile extends SkippedFile {
  error: unknown
  /** For how long it is left alone, and until when: monotonic time. */
  ms: number
  until: number
}

/**
 * Keeps the tree in shape: as long as the strategy sees something to do, one compaction after the
 * other is carried out and committed. The entry is refused where its inputs are gone; then its
 * output is discarded. Files that can't be read are left alone for a while. What can't be done now
 * is looked at again later.
 */
export class Compactor {
  readonly #options: CompactorOptions
  readonly #work: BackgroundWork
  readonly #strategy: TreeShape & { level0Limit: number }
  /** Files that couldn't be read, by their ids. */
  readonly #poisoned: Map<string, PoisonedFile> = new Map()
  readonly #stopped: AbortController = new AbortController()
  #watching = false
  /** Level 0 is to be merged before its trigger: writes pause, or somebody asked. */
  #eager = false
  /** How many wait for compactions. */
  #awaited = 0
  /** The view that called for nothing, and until which commit's timestamp it is taken to do so. */
  #settled: { view: View; until: number } | undefined
  readonly totals: Omit<CompactionReport, 'skipped'> = {
    compactions: 0,
    filesIn: 0,
    filesOut: 0,
    bytesRead: 0,
    bytesWritten: 0,
  }

  constructor(options: CompactorOptions) {
    this.#options = options
    const { shape, limits } = options
    const { slowdownLevel0, stopLevel0 } = limits
    // Before writers are held up, whatever it costs.
    this.#strategy = {
      ...shape,
      level0Trigger: Math.min(shape.level0Trigger, slowdownLevel0, stopLevel0),
      level0Limit: Math.min(LEVEL0_LIMIT, slowdownLevel0, stopLevel0),
    }
    this.#work = new BackgroundWork({
      env: options.env,
      step: (signal) => this.#compactOnce(signal),
      onRetry: (error) => options.logger?.warn('a compaction failed and is tried again', { error }),
      onGiveUp: (error, restMs) => {
        options.logger?.warn('compaction is given up for a while', { error })
        if (options.automatic) options.secondLook.within(restMs)
        options.pressure.fail('compaction', error)
      },
    })
  }

  get running(): boolean {
    return this.#work.running
  }

  get failures(): number {
    return this.#work.failures
  }

  /** The files that are left alone now. */
  get skipped(): SkippedFile[] {
    const avoided = this.#avoided()
    return [...this.#poisoned.values()]
      .filter(({ file }) => avoided.has(file))
      .map(({ file, level, tables, reason }) => ({ file, level, tables, reason }))
  }

  /** Starts compacting where the view changed since it was last found in shape. */
  poke(): void {
    if (!this.#options.automatic || this.#isSettled) return
    this.#work.poke()
    if (this.#options.inPauses) void this.#watchForPause()
  }

  get #isSettled(): boolean {
    // Asked for each commit: its timestamp spares a look at the clock.
    const { view, visibleTimestamp } = this.#options.versions
    return this.#settled?.view === view && visibleTimestamp < this.#settled.until
  }

  /**
   * Several files of level 0 are cheap for a load, and dear for the reads that come after it. So
   * once writes pause, level 0 is merged before the trigger asks for it. The watch ends with the
   * first pause; a database that nobody writes to has none.
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
    const { env, files, versions } = this.#options
    const { view } = versions
    const poisoned = this.#avoided()
    const plan = planLeveled(versions.state, {
      ...this.#strategy,
      ...(this.#eager ? { level0Trigger: PAUSE_TRIGGER } : {}),
      emptyLevel0: this.#awaited > 0,
      // As the next commit would have it: a clock that is out of its mind ends no history.
      now: new TimestampClock(env).next(versions.state.timestamp),
      poisoned,
      flushedTimestamp: versions.flushedTimestamp,
    })
    if (plan === undefined) {
      this.#eager = false
      this.#rest(view, poisoned)
      return false
    }
    // Inputs stay on disk while they are read, whatever is committed meanwhile. (Holding the view
    // would hold its memtables as well.)
    const inputs = planInputs(plan).map((meta) => files.retain(meta))
    try {
      const release = await this.#options.lease.hold(signal, this.#awaited > 0)
      if (release === undefined) return false
      try {
        await this.#commit(await this.#run(plan, signal))
      } catch (error) {
        this.#poison(error, plan)
      } finally {
        await release()
      }
    } finally {
      for (const input of inputs) files.release(input)
    }
    return true
  }

  async #commit(result: CompactionResult): Promise<void> {
    const { removed, added, floors } = result
    const old = new Set(removed)
    const files = added.map(({ file }) => file).filter(({ id }) => !old.has(id))
    try {
      const edit = { type: 'compact', removed, added, floors } as const
      await commitFiles({ edit, files }, this.#options)
    } catch (error) {
      if (!isFirnError(error, 'FIRN_COMMIT_CONFLICT')) throw error
      return
    }
    this.totals.compactions++
    this.totals.filesIn += removed.length
    this.totals.filesOut += added.length
    this.totals.bytesRead += result.bytesRead
    this.totals.bytesWritten += result.bytesWritten
  }

  /**
   * Remembers that nothing can be done for the view. Without some files that need not be for good.
   */
  #rest(view: View, poisoned: ReadonlySet<string>): void {
    const { automatic, env, versions, secondLook, pressure } = this.#options
    if (poisoned.size === 0) {
      this.#poisoned.clear()
      const now = Math.max(env.now(), versions.visibleTimestamp)
      this.#settled = { view, until: now + SETTLED_MICROS }
      return
    }
    const reasons = [...poisoned].flatMap((id) => this.#poisoned.get(id) ?? [])
    if (automatic) {
      secondLook.within(Math.min(...reasons.map(({ until }) => until)) - env.monotonic())
    }
    pressure.fail('compaction', reasons[0]?.error)
  }

  #avoided(): Set<string> {
    const now = this.#options.env.monotonic()
    const poisoned = [...this.#poisoned].filter(([, { until }]) => now < until)
    return new Set(poisoned.map(([id]) => id))
  }

  /**
   * Leaves alone, for a while, the input that a compaction failed to read; rethrows any other
   * failure.
   */
  #poison(error: unknown, plan: CompactionPlan): void {
    const { fileId } = error as { fileId?: unknown }
    if (!isFirnError(error, 'FIRN_CORRUPTION') || typeof fileId !== 'string') throw error
    const { env, versions, logger } = this.#options
    const meta = planInputs(plan).find(({ id }) => id === fileId)
    const before = this.#poisoned.get(fileId)?.ms ?? 0
    const ms = Math.min(Math.max(POISON_MS, 2 * before), MOST_POISON_MS)
    this.#poisoned.set(fileId, {
      file: fileId,
      level: meta?.level ?? 0,
      tables: meta === undefined ? [] : tablesIn(meta, versions.state),
      reason: error.message,
      error,
      ms,
      until: env.monotonic() + ms,
    })
    logger?.warn('compaction leaves a damaged file alone', { file: fileId, error })
  }

  #run(plan: CompactionPlan, signal: AbortSignal): Promise<CompactionResult> {
    const { versions, threads } = this.#options
    return threads.run(
      'compaction',
      (thread) => thread.compact({ baseVersion: versions.state.version, plan }, signal),
      () => this.#runInline(plan, signal),
    )
  }

  #runInline(plan: CompactionPlan, signal: AbortSignal): Promise<CompactionResult> {
    const { env, store, incarnation, versions, blockBytes } = this.#options
    return runCompaction(plan, {
      env,
      ...storeFiles(store, (id) => sstKey(incarnation, id), { signal }),
      newFileId: () => newFileId(versions.state, env),
      blockBytes,
      signal,
    })
  }
}
