import { dirname } from 'node:path'
import type { Env } from '@firn/env'
import { type FileSystem, LONGEST_WRITE_IN_PLACE, meaningOf, WritePace } from '@firn/vfs'
import type { NewLogEntry } from '../../commit-log.js'
import { LogFailedError } from '../../errors.js'
import { placeOf, reasonOf } from './log-errors.js'
import type { Frames } from './segment.js'
import { SegmentAppender } from './segment-appender.js'
import { FRAME_HEADER_BYTES, SEGMENT_HEADER_BYTES } from './segment-format.js'
import type { ActiveSegment } from './segment-reader.js'

// A group ends here, so that its first entry doesn't wait for everyone else's bytes.
const GROUP_BYTES = 4_194_304
const GROUP_ENTRIES = 512
/** Below this, starting a new segment costs more than reading the truncated entries. */
export const MIN_SEGMENT_TO_END_BYTES = 65_536

export interface GroupWriterOptions {
  fileSystem: FileSystem
  /** The directory of the segments. */
  directory: string
  env: Env
  segmentBytes: number
  /** Called with the first version of each segment that begins. */
  onSegment: (firstVersion: number) => void
}

interface Pending {
  entry: NewLogEntry
  resolve: () => void
  reject: (error: unknown) => void
}

/** Entries written at once. */
interface Group {
  entries: NewLogEntry[]
  bytes: number
  /** Whether no caller waits for the group to be durable. */
  lazy: boolean
}

interface PendingSync {
  /** Everything up to this version has to be written first. */
  version: number
  resolve: () => void
  reject: (error: unknown) => void
}

/** The last entry up to some point; version 0 if there is none. */
interface Point {
  version: number
  timestamp: number
}

/**
 * A lazy write in place that takes longer, in milliseconds, means the system is throttling writers.
 */
const SLOW_LAZY_MS = 5
/** After a slow lazy write, this many lazy writes go to a thread. */
const LAZY_REST = 16

/**
 * Appends entries to the segments of a log; all that wait at one moment share one write.
 *
 * While a write is under way, the next group gathers; no timer delays one. After a failed write or
 * sync, nothing is written any more.
 *
 * A lazy entry is written by the call itself: a copy into the system's memory, where it outlives
 * the process. It waits only behind entries that wait already, for a segment to begin, and after a
 * slow write.
 */
export class GroupWriter {
  readonly #options: GroupWriterOptions
  readonly #pace: WritePace
  /** The last written entry; it is durable unless it was lazy. */
  written: Point
  /** The last version known to be durable. */
  #durableVersion: number
  /** The last entry that was handed in. */
  last: Point
  /** Why nothing is accepted any more. */
  failure: LogFailedError | undefined
  #appender: SegmentAppender | undefined
  /** A segment that was closed in order, to be continued at the first append. */
  #resumable: Frames | undefined
  /** Whether the last frame says that the log was closed. */
  #sealed = true
  #pending: Pending[] = []
  #syncs: PendingSync[] = []
  #draining: Promise<void> | undefined
  #endWanted = false
  /** The group that a thread is writing: the first of the waiting entries. */
  #underWay: Group | undefined
  /** Whether a new segment is about to begin, whose first version is already decided. */
  #rolling = false
  /** Lazy writes that still go to threads before the next one in place. */
  #lazyRest = 0
  /** Bytes of payload handed in and not yet written. */
  pendingBytes = 0

  constructor(options: GroupWriterOptions, last: Point) {
    this.#options = options
    this.#pace = new WritePace(options.env)
    this.written = last
    this.#durableVersion = last.version
    this.last = last
  }

  /**
   * Takes over the last segment. If its writer was killed, repairs torn or possibly not durable
   * entries before any reader sees them.
   */
  async takeOver(frames: Frames): Promise<void> {
    if (frames.closed && frames.bytes.length === frames.end) {
      this.#resumable = { ...frames, bytes: new Uint8Array(0) }
      return
    }
    this.#appender = await this.#resume(frames)
    this.#sealed = false
  }

  /** The segment that is or will be appended to. */
  get active(): ActiveSegment | undefined {
    const frames = this.#resumable
    if (this.#appender !== undefined || frames === undefined) return this.#appender
    const { firstVersion, offsets, end, header } = frames
    return { firstVersion, offsets, end, seed: header.seed }
  }

  /**
   * Resolves when the entry is durable (if it is lazy: written). Entries come in the order of their
   * versions.
   */
  append(entry: NewLogEntry): Promise<void> {
    this.last = { version: entry.version, timestamp: entry.timestamp }
    if (entry.lazy === true) {
      try {
        if (this.#writeNow(entry)) return Promise.resolve()
      } catch (error) {
        this.#fail(error)
        return Promise.reject(this.failure)
      }
    }
    this.pendingBytes += entry.payload.length
    return new Promise((resolve, reject) => {
      this.#pending.push({ entry, resolve, reject })
      this.#draining ??= this.#drain()
    })
  }

  /** Ends the active segment, so that all its entries can be truncated, and begins a new one. */
  async endSegment(): Promise<void> {
    this.#endWanted = true
    this.#draining ??= this.#drain()
    await this.#draining
    if (this.failure !== undefined) throw this.failure
  }

  /** Makes durable everything handed in before the call. */
  sync(): Promise<void> {
    if (this.failure !== undefined) return Promise.reject(this.failure)
    return new Promise((resolve, reject) => {
      this.#syncs.push({ version: this.last.version, resolve, reject })
      this.#draining ??= this.#drain()
    })
  }

  /**
   * Writes what waits and what a thread is writing, which may never finish; syncs all that is
   * written if `durable`. Blocks the thread. For the end of the process: if anything waited,
   * nothing can be appended any more.
   */
  writeOut({ durable }: { durable: boolean }): void {
    const appender = this.#appender
    if (appender === undefined || this.failure !== undefined) return
    // From here on, no thread is certain to finish.
    this.#lazyRest = 0
    try {
      const entries = this.#waitingForNobody()
      if (entries.length > 0) {
        appender.writeOut(entries, this.#durableVersion)
        this.#fail(undefined, 'the process was ending')
      }
      if (durable) appender.syncInPlace()
    } catch (error) {
      this.#fail(error)
    }
  }

  /** Waits until nothing is under way. */
  async settled(): Promise<void> {
    while (this.#draining !== undefined) await this.#draining
  }

  /**
   * Records in the log that it was closed; true if everything is in order. Nothing may be under
   * way.
   */
  async close(): Promise<boolean> {
    const appender = this.#appender
    if (appender === undefined) return this.failure === undefined
    const { version, timestamp } = this.written
    if (this.failure === undefined && !this.#sealed) {
      await appender.appendEnd(version, timestamp).catch((error: unknown) => this.#fail(error))
    }
    const clean = this.failure === undefined
    // If the space can't be given back, the next owner finds zeros behind the end.
    await appender.close({ cut: clean }).catch(() => undefined)
    return clean
  }

  async #drain(): Promise<void> {
    // Appends of the same turn join the first group.
    await undefined
    try {
      while (this.#pending.length > 0 || this.#endWanted || this.#syncs.length > 0) {
        if (this.#endWanted) {
          this.#endWanted = false
          const active = this.#resumable === undefined ? this.#appender : await this.#opened()
          if (active !== undefined && active.offsets.length > 0) await this.#roll()
        }
        if (this.#pending.length > 0) await this.#appendGroup()
        if (this.#syncs.some(({ version }) => version <= this.written.version)) await this.#sync()
      }
    } catch (error) {
      this.#fail(error)
    } finally {
      this.#draining = undefined
    }
  }

  /** Writes a lazy entry in place unless something is in its way. */
  #writeNow(entry: NewLogEntry): boolean {
    if (this.#pending.length > 0 || this.#rolling || this.#lazyRest > 0) return false
    this.#appender ??= this.#reopened()
    const entries = [entry]
    const group = { entries, bytes: FRAME_HEADER_BYTES + entry.payload.length, lazy: true }
    const appender = this.#appenderAtHand(group)
    if (appender === undefined) return false
    this.#appendLazily(appender, entries)
    this.written = { version: entry.version, timestamp: entry.timestamp }
    return true
  }

  #appendLazily(appender: SegmentAppender, entries: readonly NewLogEntry[]): void {
    const since = this.#pace.now()
    this.#sealed = false
    appender.appendInPlace(entries, this.#durableVersion, { lazy: true })
    if (this.#pace.now() - since > SLOW_LAZY_MS) this.#lazyRest = LAZY_REST
  }

  /**
   * Entries that can be written now without a thread's write, perhaps in vain, undoing any of it.
   */
  #waitingForNobody(): NewLogEntry[] {
    const entries = this.#pending.map(({ entry }) => entry)
    const underWay = this.#underWay
    // A durable write brings zeros along, which belong behind its entries.
    return underWay?.lazy === false ? entries.slice(0, underWay.entries.length) : entries
  }

  async #appendGroup(): Promise<void> {
    const mayBlock = await this.#turn()
    this.#assertGoing()
    const group = this.#nextGroup()
    const appender = this.#appenderAtHand(group) ?? (await this.#appenderFor(group))
    this.#sealed = false
    const { entries, bytes, lazy } = group
    const short = !lazy && bytes <= LONGEST_WRITE_IN_PLACE && appender.isReadyFor(bytes)
    const since = this.#pace.now()
    if (short && mayBlock) {
      appender.appendInPlace(entries, this.#durableVersion, { lazy })
      this.#pace.took(since)
    } else if (lazy && this.#lazyRest === 0) {
      this.#appendLazily(appender, entries)
    } else {
      if (lazy) this.#lazyRest--
      this.#underWay = group
      await appender.append(entries, this.#durableVersion, { lazy })
      this.#underWay = undefined
      this.#assertGoing()
      if (short) this.#pace.tookByThread(since)
    }
    this.#settle(group)
  }

  /** Throws if `writeOut` has already written the group's entries. */
  #assertGoing(): void {
    if (this.failure !== undefined) throw this.failure
  }

  /**
   * Gives the event loop a turn if the next write may block it. Entries handed in during that turn
   * join the group.
   */
  #turn(): Promise<boolean> | false {
    return this.#pending[0]?.entry.lazy !== true && this.#pace.mayBlock() && this.#pace.turn()
  }

  /**
   * Returns as many waiting entries as one write takes. They stay queued until they are settled.
   */
  #nextGroup(): Group {
    const entries: NewLogEntry[] = []
    let bytes = 0
    let lazy = true
    for (const { entry } of this.#pending) {
      const size = FRAME_HEADER_BYTES + entry.payload.length
      if (entries.length > 0) {
        if (entry.startsSegment === true || bytes + size > GROUP_BYTES) break
      }
      entries.push(entry)
      bytes += size
      lazy &&= entry.lazy === true
      if (entries.length === GROUP_ENTRIES) break
    }
    return { entries, bytes, lazy }
  }

  #settle({ entries, lazy }: Group): void {
    const { version, timestamp } = entries.at(-1) as NewLogEntry
    this.written = { version, timestamp }
    if (!lazy) this.#durableVersion = version
    for (const { entry, resolve } of this.#pending.splice(0, entries.length)) {
      this.pendingBytes -= entry.payload.length
      resolve()
    }
  }

  async #sync(): Promise<void> {
    // Entries written in place meanwhile aren't covered.
    const { version } = this.written
    await this.#appender?.sync()
    this.#durableVersion = version
    const due = this.#syncs.filter((sync) => sync.version <= version)
    this.#syncs = this.#syncs.filter((sync) => sync.version > version)
    for (const { resolve } of due) resolve()
  }

  /** The active segment, if it is open and the group belongs into it. */
  #appenderAtHand({ entries, bytes }: Group): SegmentAppender | undefined {
    const appender = this.#appender
    if (appender === undefined || !appender.hasRoomFor(bytes)) return undefined
    if (entries[0]?.startsSegment !== true) return appender
    const worthEnding = appender.end - SEGMENT_HEADER_BYTES >= MIN_SEGMENT_TO_END_BYTES
    return worthEnding ? undefined : appender
  }

  async #appenderFor(group: Group): Promise<SegmentAppender> {
    await this.#opened()
    return this.#appenderAtHand(group) ?? this.#roll()
  }

  /** The segment to continue, which was closed in order. */
  #reopened(): SegmentAppender | undefined {
    const { fileSystem, directory, env, segmentBytes } = this.#options
    const frames = this.#resumable
    if (frames === undefined) return undefined
    const options = { env, limitBytes: segmentBytes }
    const appender = SegmentAppender.reopen(fileSystem, directory, frames, options)
    this.#resumable = undefined
    return appender
  }

  async #opened(): Promise<SegmentAppender> {
    this.#appender ??= this.#reopened()
    if (this.#appender !== undefined) return this.#appender
    const { fileSystem, directory } = this.#options
    fileSystem.makeDirectoriesSync(directory)
    await fileSystem.syncDirectory(dirname(directory))
    return this.#startSegment()
  }

  #resume(frames: Frames): Promise<SegmentAppender> {
    const { fileSystem, directory, env, segmentBytes } = this.#options
    return SegmentAppender.resume(fileSystem, directory, frames, { env, limitBytes: segmentBytes })
  }

  /**
   * The previous segment must be complete and durable: readers that see the new one rely on that.
   */
  async #roll(): Promise<SegmentAppender> {
    const before = this.#appender as SegmentAppender
    this.#rolling = true
    try {
      await before.sync()
      this.#durableVersion = this.written.version
      return await this.#startSegment()
    } finally {
      this.#rolling = false
      if (this.#appender !== before) await before.close({ cut: true })
    }
  }

  async #startSegment(): Promise<SegmentAppender> {
    const { fileSystem, directory, env, segmentBytes } = this.#options
    const firstVersion = this.written.version + 1
    const appender = await SegmentAppender.create(fileSystem, directory, firstVersion, {
      env,
      limitBytes: segmentBytes,
      assertWanted: () => this.#assertGoing(),
    })
    // From here on entries belong into this segment, including those that `writeOut` writes.
    this.#appender = appender
    this.#options.onSegment(firstVersion)
    await fileSystem.syncDirectory(directory)
    this.#assertGoing()
    return appender
  }

  #fail(error: unknown, reason: string = reasonOf(error)): void {
    this.failure ??=
      error instanceof LogFailedError
        ? error
        : new LogFailedError(
            `the commit log in ${this.#options.directory} could not be written (${reason}${placeOf(error)}) and accepts no more commits; ${meaningOf(error).advice}. After that, reopen the database`,
            error,
          )
    const pending = this.#pending
    this.#pending = []
    this.pendingBytes = 0
    this.#endWanted = false
    this.last = this.written
    const syncs = this.#syncs
    this.#syncs = []
    for (const { reject } of [...pending, ...syncs]) reject(this.failure)
  }
}
