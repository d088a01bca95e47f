import { type CommitLog, entryAt, entryAtTime } from '@firn/commit-log'
import { ClosedError, type Env, InvalidArgumentError, type TimeSlice, waitFor } from '@firn/env'
import { MAX_TIMESTAMP } from '@firn/mvcc'
import { SnapshotExpiredError, VersionNotFoundError } from '../../errors.js'
import type { Commit } from '../../write-options.js'
import type { TakenMoment } from '../arguments/moment.js'
import type { Committer } from '../commit/committer.js'
import type { LiveSource, ReadPoint } from '../read/read-source.js'
import type { LogFollower } from '../view/log-follower.js'
import type { VersionSet } from '../view/version-set.js'
import type { View } from '../view/view.js'

export interface HeadSourceOptions {
  env: Env
  slice: TimeSlice
  pageRows: number
  log: CommitLog
  versions: VersionSet
  follower: LogFollower
  /** `undefined` if the database is open for reading. */
  committer: Committer | undefined
  maxStalenessMs: number
  /** When `versions` was read from the log: the monotonic time before the first request. */
  lookedAtMs: number
}

/** The present of a database, up to where this process has read the log. */
export class HeadSource implements LiveSource {
  readonly timestamp: number = MAX_TIMESTAMP
  readonly slice: TimeSlice
  readonly pageRows: number
  readonly #options: HeadSourceOptions
  readonly #versions: VersionSet
  /** True if other processes may commit: the log is shared, or this process doesn't write. */
  readonly #othersCommit: boolean
  #lookedAtMs: number
  #open = true

  constructor(options: HeadSourceOptions) {
    this.#options = options
    this.slice = options.slice
    this.pageRows = options.pageRows
    this.#versions = options.versions
    this.#othersCommit = !(options.log.exclusive && options.committer !== undefined)
    this.#lookedAtMs = options.lookedAtMs
  }

  view(): View {
    this.assertOpen()
    return this.#versions.view
  }

  isStale(): boolean {
    if (!this.#othersCommit) return false
    const { env, maxStalenessMs } = this.#options
    return env.monotonic() - this.#lookedAtMs > maxStalenessMs
  }

  async refresh(signal?: AbortSignal): Promise<void> {
    this.assertOpen()
    signal?.throwIfAborted()
    if (!this.#othersCommit) return
    const startedAtMs = this.#options.env.monotonic()
    // The read of the log goes on if this caller gives up, because others may wait for it too.
    await waitFor(this.#options.follower.catchUp(), signal)
    this.#lookedAtMs = startedAtMs
    signal?.throwIfAborted()
    this.assertOpen()
  }

  async refreshFiles(read: View, signal?: AbortSignal): Promise<boolean> {
    if (this.view() === read) await this.refresh(signal)
    return this.#versions.view !== read
  }

  /** Does nothing: in the present, a dropped table reads as absent. */
  assertHas(): void {}

  hold(): ReadPoint {
    this.assertOpen()
    // Otherwise later buffered writes would join the version that is read.
    this.#options.committer?.sealVisible()
    return { view: this.#versions.view.retain(), timestamp: this.#versions.visibleTimestamp }
  }

  holdAgain(): View {
    return this.hold().view
  }

  async holdAt(moment: TakenMoment, signal?: AbortSignal): Promise<ReadPoint> {
    signal?.throwIfAborted()
    const timestamp = await this.timestampOf(moment, signal)
    const point = this.hold()
    point.timestamp = Math.min(point.timestamp, timestamp)
    return point
  }

  /** Returns the newest commit at or before a moment; version 0 if none exists. */
  async commitAt(moment: TakenMoment, signal?: AbortSignal): Promise<Commit> {
    const timestamp = await this.timestampOf(moment, signal)
    if (moment.version !== undefined) return { version: moment.version, timestamp }
    const { visibleVersion, visibleTimestamp } = this.#versions
    if (timestamp >= visibleTimestamp) {
      return { version: visibleVersion, timestamp: visibleTimestamp }
    }
    // Only commits in the log can be found there.
    const { committer, log } = this.#options
    if (committer !== undefined && this.#versions.state.version < visibleVersion) {
      await waitFor(committer.flush(), signal)
    }
    const newest = this.#versions.state
    const entry = await waitFor(entryAtTime(log, timestamp, { newest, signal }), signal)
    return { version: entry?.version ?? 0, timestamp }
  }

  /**
   * Returns the timestamp for reads at a moment. Throws `VersionNotFoundError` for a version that
   * doesn't exist yet; a future time means the present.
   */
  async timestampOf(moment: TakenMoment, signal?: AbortSignal): Promise<number> {
    const { version, timestamp = 0 } = moment
    if (version === undefined) return timestamp
    if (version > this.#versions.visibleVersion) await this.refresh(signal)
    if (version > this.#versions.visibleVersion) {
      throw new VersionNotFoundError(version, this.#versions.visibleVersion)
    }
    const known = this.#versions.commitTimes.timestampOf(version)
    if (known !== undefined) return this.#assertAgree(moment, known)
    const entry = await waitFor(entryAt(this.#options.log, version, { signal }), signal)
    if (entry === undefined) {
      throw new SnapshotExpiredError(`the log no longer holds version ${version}`)
    }
    return this.#assertAgree(moment, entry.timestamp)
  }

  /**
   * Checks a moment that has both version and timestamp: the version must be the newest at or
   * before the timestamp. Returns the version's own timestamp.
   */
  #assertAgree({ version = 0, timestamp }: TakenMoment, known: number): number {
    if (timestamp === undefined) return known
    const next = this.#versions.commitTimes.timestampOf(version + 1) ?? Number.POSITIVE_INFINITY
    if (timestamp >= known && timestamp < next) return known
    throw new InvalidArgumentError(
      `at has version ${version} and timestamp ${timestamp}, which contradict each other: the version is of ${known}; give one of them`,
    )
  }

  get isOpen(): boolean {
    return this.#open
  }

  assertOpen(): void {
    if (!this.#open) throw new ClosedError('the database is closed; open it again')
  }

  close(): void {
    this.#open = false
  }
}
