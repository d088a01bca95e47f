import { dirname } from 'node:path'
import type { Env } from '@firn/env'
import type { NewLogEntry } from '../../commit-log.js'
import { LogFailedError } from '../../errors.js'
import type { FileSystem } from './file-system.js'
import type { Frames } from './segment.js'
import { SegmentAppender } from './segment-appender.js'
import { FRAME_HEADER_BYTES, SEGMENT_HEADER_BYTES } from './segment-format.js'
import type { ActiveSegment } from './segment-reader.js'
import { adviceOn, placeOf, reasonOf } from './system-error.js'
import { LONGEST_WRITE_IN_PLACE, WritePace } from './write-pace.js'

// A group ends here, so that its first entry doesn't wait for the bytes of all others.
const GROUP_BYTES = 4_194_304
const GROUP_ENTRIES = 512
/** Below this, starting a segment anew costs more than reading entries that were truncated. */
export const MIN_SEGMENT_TO_END_BYTES = 65_536

export interface GroupWriterOptions {
  fileSystem: FileSystem
  /** Where the segments are. */
  directory: string
  env: Env
  segmentBytes: number
  /** Told of each segment that begins, by its first version. */
  onSegment: (firstVersion: number) => void
}

interface Pending {
  entry: NewLogEntry
  resolve: () => void
  reject: (error: unknown) => void
}

/** What is written at once. */
interface Group {
  entries: NewLogEntry[]
  bytes: number
  /** Whether nobody waits for it to be durable. */
  lazy: boolean
}

interface PendingSync {
  /** What has to be written before. */
  version: number
  resolve: () => void
  reject: (error: unknown) => void
}

/** The last entry up to some point: version 0 where there is none. */
interface Point {
  version: number
  timestamp: number
}

/**
 * Appends entries to the segments of a log, all that wait at one moment in one write.
 *
 * While a write is under way the next group gathers; no timer holds one back. After the first write
 * or sync that fails nothing is written any more.
 */
export class GroupWriter {
  readonly #options: GroupWriterOptions
  readonly #pace: WritePace
  /** The last entry that is written: durable, unless it was lazy. */
  written: Point
  /** The last version that is known to be durable. */
  #durableVersion: number
  /** The last entry that was handed in. */
  last: Point
  /** Why nothing is accepted any more. */
  failure: LogFailedError | undefined
  #appender: SegmentAppender | undefined
  /** The segment to go on with at the first append, which was closed in order. */
  #resumable: Frames | undefined
  /** Whether the last frame says that the log was closed. */
  #sealed = true
  #pending: Pending[] = []
  #syncs: PendingSync[] = []
  #draining: Promise<void> | undefined
  #endWanted = false

  constructor(options: GroupWriterOptions, last: Point) {
    this.#options = options
    this.#pace = new WritePace(options.env)
    this.written = last
    this.#durableVersion = last.version
    this.last = last
  }

  /**
   * Takes over the last segment. What its writer, who was killed, left torn or maybe not durable is
   * put in order before anybody is told of its entries.
   */
  async takeOver(frames: Frames): Promise<void> {
    if (frames.closed && frames.bytes.length === frames.end) {
      this.#resumable = { ...frames, bytes: new Uint8Array(0) }
      return
    }
    this.#appender = await this.#resume(frames)
    this.#sealed = false
  }

  /** The segment that is appended to, or will be. */
  get active(): ActiveSegment | undefined {
    const frames = this.#resumable
    if (this.#appender !== undefined || frames === undefined) return this.#appender
    const { firstVersion, offsets, end, header } = frames
    return { firstVersion, offsets, end, seed: header.seed }
  }

  /** Resolves when the entry is durable (written, where it is lazy). Entries come in the order of their versions. */
  append(entry: NewLogEntry): Promise<void> {
    this.last = { version: entry.version, timestamp: entry.timestamp }
    return new Promise((resolve, reject) => {
      this.#pending.push({ entry, resolve, reject })
      this.#draining ??= this.#drain()
    })
  }

  /** Ends the active segment, so that all its entries can be truncated, and begins another. */
  async endSegment(): Promise<void> {
    this.#endWanted = true
    this.#draining ??= this.#drain()
    await this.#draining
    if (this.failure !== undefined) throw this.failure
  }

  /** Makes durable what was handed in before the call. */
  sync(): Promise<void> {
    if (this.failure !== undefined) return Promise.reject(this.failure)
    return new Promise((resolve, reject) => {
      this.#syncs.push({ version: this.last.version, resolve, reject })
      this.#draining ??= this.#drain()
    })
  }

  /** Waits until nothing is under way. */
  async settled(): Promise<void> {
    while (this.#draining !== undefined) await this.#draining
  }

  /** Says in the log that it was closed; true if everything is in order. Nothing is under way. */
  async close(): Promise<boolean> {
    const appender = this.#appender
    if (appender === undefined) return this.failure === undefined
    const { version, timestamp } = this.written
    if (this.failure === undefined && !this.#sealed) {
      await appender.appendEnd(version, timestamp).catch((error: unknown) => this.#fail(error))
    }
    const clean = this.failure === undefined
    // Space that can't be given back: the next one to open finds zeros behind the end.
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

  async #appendGroup(): Promise<void> {
    const mayBlock = await this.#turn()
    const group = this.#nextGroup()
    const appender = this.#appenderAtHand(group) ?? (await this.#appenderFor(group))
    this.#sealed = false
    const { entries, bytes, lazy } = group
    const short = !lazy && bytes <= LONGEST_WRITE_IN_PLACE && appender.isReadyFor(bytes)
    const since = this.#pace.now()
    if (short && mayBlock) {
      appender.appendInPlace(entries, this.#durableVersion)
      this.#pace.took(since)
    } else {
      await appender.append(entries, this.#durableVersion, { lazy })
      if (short) this.#pace.tookByThread(since)
    }
    this.#settle(group)
  }

  /** Gives the event loop a turn where the next write may hold it up. What comes in it joins the group. */
  #turn(): Promise<boolean> | false {
    return this.#pending[0]?.entry.lazy !== true && this.#pace.mayBlock() && this.#pace.turn()
  }

  /** As many of those that wait as one write takes. They wait on until they are settled. */
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
    for (const { resolve } of this.#pending.splice(0, entries.length)) resolve()
  }

  async #sync(): Promise<void> {
    const { version } = this.written
    await this.#appender?.sync()
    this.#durableVersion = version
    const due = this.#syncs.filter((sync) => sync.version <= version)
    this.#syncs = this.#syncs.filter((sync) => sync.version > version)
    for (const { resolve } of due) resolve()
  }

  /** The active segment, where it is open and the group belongs into it. */
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

  async #opened(): Promise<SegmentAppender> {
    if (this.#appender !== undefined) return this.#appender
    if (this.#resumable !== undefined) {
      this.#appender = await this.#resume(this.#resumable)
      this.#resumable = undefined
      return this.#appender
    }
    const { fileSystem, directory } = this.#options
    fileSystem.makeDirectory(directory)
    await fileSystem.syncDirectory(dirname(directory))
    return this.#startSegment()
  }

  #resume(frames: Frames): Promise<SegmentAppender> {
    const { fileSystem, directory, segmentBytes } = this.#options
    return SegmentAppender.resume(fileSystem, directory, frames, { limitBytes: segmentBytes })
  }

  /** The segment before is complete and durable: a reader who sees the new one relies on that. */
  async #roll(): Promise<SegmentAppender> {
    const before = this.#appender as SegmentAppender
    await before.sync()
    this.#durableVersion = this.written.version
    const appender = await this.#startSegment()
    await before.close({ cut: true })
    return appender
  }

  async #startSegment(): Promise<SegmentAppender> {
    const { fileSystem, directory, env, segmentBytes } = this.#options
    const firstVersion = this.written.version + 1
    const options = { env, limitBytes: segmentBytes }
    this.#appender = await SegmentAppender.create(fileSystem, directory, firstVersion, options)
    this.#options.onSegment(firstVersion)
    return this.#appender
  }

  #fail(error: unknown): void {
    this.failure ??= new LogFailedError(
      `the commit log in ${this.#options.directory} could not be written (${reasonOf(error)}${placeOf(error)}) and accepts no more commits; ${adviceOn(error, 'written')}, then reopen the database`,
      error,
    )
    const pending = this.#pending
    this.#pending = []
    this.#endWanted = false
    this.last = this.written
    const syncs = this.#syncs
    this.#syncs = []
    for (const { reject } of [...pending, ...syncs]) reject(this.failure)
  }
}
