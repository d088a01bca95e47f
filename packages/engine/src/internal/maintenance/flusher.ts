import { type Env, isFirnError } from '@firn/env'
import type { FileMeta } from '@firn/manifest'
import type { Logger } from '../../open-options.js'
import { commitFiles } from '../commit/commit-files.js'
import type { Committer } from '../commit/committer.js'
import type { WritePressure } from '../commit/write-pressure.js'
import type { FileWriter } from '../files/file-writer.js'
import type { Memtable } from '../memtable/memtable.js'
import type { VersionSet } from '../view/version-set.js'
import { BackgroundWork } from './background-work.js'
import type { Checkpointer } from './checkpointer.js'
import type { MaintenanceLease } from './maintenance-lease.js'
import type { OrphanSweep } from './orphan-sweep.js'
import type { SecondLook } from './second-look.js'

export interface FlusherOptions {
  env: Env
  versions: VersionSet
  committer: Committer
  logger: Logger | undefined
  memtableBytes: number
  /** This many entries that aren't in files call for a flush too: opening reads them. */
  tailEntries: number
  lease: MaintenanceLease
  secondLook: SecondLook
  /** Fails waiting writers when flushing is given up. */
  pressure: WritePressure
  writer: FileWriter
  checkpointer: Checkpointer
  /** `undefined` if files without an entry may be those of another process. */
  orphans: OrphanSweep | undefined
}

/** How long failed tidying rests, at first and at most. */
const TIDY_AGAIN_MS = 60_000
const MOST_TIDY_AGAIN_MS = 60 * 60_000

/**
 * Moves full memtables into files of level 0, oldest first:
 *
 * 0. On a log that several processes append to, the process that holds the lease does the work.
 * 1. A memtable is sealed between commits, so that it holds whole commits only.
 * 2. Its records are written to files.
 * 3. An entry adds the files and says through which version inline records are in files now. If
 *    another process has flushed meanwhile, the entry is refused and the files are discarded.
 */
export class Flusher {
  readonly #options: FlusherOptions
  readonly #work: BackgroundWork
  /** Versions up to this one are in sealed memtables. */
  #sealedThrough = 0
  /** Number of callers that wait for flushes. */
  #awaited = 0
  /** When to tidy up after the last flush, in monotonic time. */
  #tidyAt = Number.POSITIVE_INFINITY
  #tidyAgainMs = TIDY_AGAIN_MS
  readonly totals: { flushes: number; bytesWritten: number } = { flushes: 0, bytesWritten: 0 }

  constructor(options: FlusherOptions) {
    this.#options = options
    this.#work = new BackgroundWork({
      env: options.env,
      step: (signal) => this.#flushOldest(signal),
      onRetry: (error) => options.logger?.warn('a flush failed and is tried again', { error }),
      onGiveUp: (error, restMs) => {
        // The log holds what a flush would write. So memtables may pile up until the disk has room
        // or the service is back; then writers wait, and fail.
        options.logger?.warn('flushing is given up for a while', { error })
        options.secondLook.within(restMs)
        options.pressure.fail('flush', error)
      },
    })
  }

  /** Seals the active memtable if it is full, and flushes sealed ones. */
  poke(): void {
    const { versions, memtableBytes, tailEntries } = this.#options
    const { active, state } = versions
    const tail = active.maxVersion - Math.max(state.flushedThrough, this.#sealedThrough)
    const isLong = tail >= tailEntries
    if (active.memoryBytes >= memtableBytes || (isLong && active.records > 0)) this.seal()
    const isDue = versions.immutables.length > 0 || (isLong && this.#tailIsLong)
    if (isDue || this.#isUntidy) this.#work.poke()
  }

  get #isUntidy(): boolean {
    // Usually there is nothing to tidy, and the clock isn't read.
    return this.#tidyAt < Number.POSITIVE_INFINITY && this.#tidyAt <= this.#options.env.monotonic()
  }

  /** Entries that only add files make a tail for which no memtable is sealed. */
  get #tailIsLong(): boolean {
    const { versions, tailEntries } = this.#options
    return versions.state.version - versions.state.flushedThrough >= tailEntries
  }

  /** Seals the active memtable. */
  seal(): void {
    const { versions, committer } = this.#options
    // Otherwise a group that is still gathering would be split over two memtables.
    committer.sealVisible()
    this.#sealedThrough = versions.active.maxVersion
    versions.sealMemtable()
    committer.startSegment()
  }

  /** Resolves when every sealed memtable is in files, whichever process has the lease. */
  async drain(): Promise<void> {
    this.#awaited++
    try {
      await this.#work.drain()
    } finally {
      this.#awaited--
    }
  }

  stop(reason: unknown): Promise<void> {
    return this.#work.stop(reason)
  }

  async #flushOldest(signal: AbortSignal): Promise<boolean> {
    const { versions, committer, lease } = this.#options
    const isDue = versions.immutables.length > 0 || this.#tailIsLong || this.#isUntidy
    if (!isDue || committer.isStopped) return false
    const release = await lease.hold(signal, this.#awaited > 0)
    if (release === undefined) return false
    try {
      return await this.#flush(signal)
    } finally {
      await release()
    }
  }

  async #flush(signal: AbortSignal): Promise<boolean> {
    const { versions } = this.#options
    // Another process may have flushed it while this one asked for the lease.
    const memtable = versions.immutables.at(-1)
    // The flushed version that belongs to this memtable: another flush in between changes both.
    const from = versions.state.flushedThrough
    let through = memtable?.maxVersion ?? 0
    if (memtable === undefined) {
      if (!this.#tailIsLong || versions.active.records > 0) {
        if (this.#isUntidy) await this.#tidy()
        return false
      }
      through = versions.state.version
    }
    const files = memtable === undefined ? [] : await this.#write(memtable, signal)
    try {
      const edit = { type: 'flush', from, through, files } as const
      await commitFiles({ edit, files }, this.#options)
    } catch (error) {
      if (!isFirnError(error, 'FIRN_COMMIT_CONFLICT')) throw error
      return true
    }
    this.totals.flushes++
    this.totals.bytesWritten += files.reduce((sum, file) => sum + file.bytes, 0)
    await this.#tidy()
    return true
  }

  /** Writes a checkpoint after a flush, and deletes files that a crash left behind. */
  async #tidy(): Promise<void> {
    const { env, secondLook, checkpointer, orphans } = this.#options
    this.#tidyAt = Number.POSITIVE_INFINITY
    const hasCheckpoint = await checkpointer.checkpoint()
    const isSwept = (await orphans?.run()) ?? true
    if (hasCheckpoint && isSwept) {
      this.#tidyAgainMs = TIDY_AGAIN_MS
      return
    }
    const restMs = this.#tidyAgainMs
    this.#tidyAgainMs = Math.min(2 * restMs, MOST_TIDY_AGAIN_MS)
    this.#tidyAt = env.monotonic() + restMs
    secondLook.within(restMs)
  }

  async #write(memtable: Memtable, signal: AbortSignal): Promise<FileMeta[]> {
    // Another process may flush it meanwhile, so this one holds it.
    memtable.retain()
    try {
      return await this.#options.writer.writeMemtable(memtable, signal)
    } finally {
      memtable.release()
    }
  }
}
