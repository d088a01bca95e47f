import {
  type CompactionPlan,
  type CompactionResult,
  planInputs,
  planLeveled,
  runCompaction,
} from '@firn/compaction'
import { type Env, isFirnError } from '@firn/env'
import { newFileId } from '@firn/manifest'
import { TimestampClock } from '@firn/mvcc'
import type { ObjectStore } from '@firn/object-store'
import type { CompactionReport, SkippedFile } from '../../database.js'
import type { Logger } from '../../open-options.js'
import { commitFiles } from '../commit/commit-files.js'
import type { Committer } from '../commit/committer.js'
import type { PressureLimits, WritePressure } from '../commit/write-pressure.js'
import type { FileCache } from '../files/file-cache.js'
import type { FileWriter } from '../files/file-writer.js'
import { storedFiles } from '../files/stored-files.js'
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
  /** Whether changes of the view start compactions; otherwise only `drain` does. */
  automatic: boolean
  /**
   * Whether level 0 is merged when writes pause. On a cloud store, the merge would cost requests
   * that reads may not save.
   */
  inPauses: boolean
  /** Where plans are carried out, if not on this thread, with pauses for others. */
  threads: Threads
  /**
   * Fails waiting writers when compaction is given up, or when only a damaged file is left to
   * compact.
   */
  pressure: WritePressure
  /** Deletes files of refused compactions. */
  writer: FileWriter
  lease: MaintenanceLease
  secondLook: SecondLook
  shape: TreeShape
  /** The limits that compaction has to stay below. */
  limits: PressureLimits
  blockBytes: number | undefined
}

/** Sizes and limits that decide when files are merged. */
export interface TreeShape {
  /** Size of the files that compaction writes. */
  targetFileBytes: number
  /** Size of level 1. */
  levelBaseBytes: number
  /** Number of level-0 files that starts a merge. */
  level0Trigger: number
}

/** Number of level-0 files that are merged down even if most of the work is in level 1. */
const LEVEL0_LIMIT = 12
/** Milliseconds without a commit that count as a pause. */
const PAUSE_MS = 50
/**
 * How long a file that couldn't be read is left alone: the replies may have been damaged, not the
 * file. Each failed read doubles the time, up to a limit.
 */
const POISON_MS = 60_000
const MOST_POISON_MS = 15 * 60_000
/**
 * How long a view needs no work without new commits, in microseconds. Its versions grow old, and
 * may then be dropped.
 */
const SETTLED_MICROS = 60_000_000
/** Number of level-0 files that are merged in a pause. */
const PAUSE_TRIGGER = 2

interface PoisonedFile extends SkippedFile {
  error: unknown
  /** How long the file is left alone, and until when: monotonic time. */
  ms: number
  until: number
}

/**
 * Keeps the tree in shape: carries out and commits one compaction after the other while the
 * strategy returns a plan. The log refuses the entry if its inputs are gone; then the output is
 * discarded. Files that can't be read are left alone for a while. Work that can't be done now is
 * looked at again later.
 */
export class Compactor {
  readonly #options: CompactorOptions
  readonly #work: BackgroundWork
  readonly #strategy: TreeShape & { level0Limit: number }
  /** Files that couldn't be read, by their ids. */
  readonly #poisoned: Map<string, PoisonedFile> = new Map()
  readonly #stopped: AbortController = new AbortController()
  #watching = false
  /** True if level 0 is to be merged before its trigger: writes pause, or a caller asked for it. */
  #eager = false
  /** Number of callers that wait for compactions. */
  #awaited = 0
  /** The view that needed no compaction, and the commit timestamp up to which that is assumed. */
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
    // Merges before writers are held up, whatever it costs.
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

  /** Starts compacting if the view has changed since it was last found in shape. */
  poke(): void {
    if (!this.#options.automatic || this.#isSettled) return
    this.#work.poke()
    if (this.#options.inPauses) void this.#watchForPause()
  }

  get #isSettled(): boolean {
    // Called for each commit: the commit's timestamp saves a look at the clock.
    const { view, visibleTimestamp } = this.#options.versions
    return this.#settled?.view === view && visibleTimestamp < this.#settled.until
  }

  /**
   * Several level-0 files make a load cheap, but the reads after it expensive. So once writes
   * pause, level 0 is merged before the trigger asks for it. The watch ends with the first pause; a
   * database without writes has none.
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
      // The time that the next commit would have: a wrong clock must not end history early.
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
    // would also hold its memtables.)
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
   * Remembers that the view needs nothing. If files were left out, only for as long as they are
   * left alone.
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
   * Marks the input that a compaction failed to read as left alone for a while; rethrows any other
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
      ...storedFiles(store, incarnation, signal),
      newFileId: () => newFileId(versions.state.version, env),
      blockBytes,
      signal,
    })
  }
}
