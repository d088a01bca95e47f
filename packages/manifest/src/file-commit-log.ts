import { dirname, join } from 'node:path'
import { ClosedError, CorruptionError, type Env, InvalidArgumentError, systemEnv } from '@firn/env'
import type {
  AppendResult,
  CommitLog,
  LogCallOptions,
  LogEntry,
  NewLogEntry,
  ReadLogOptions,
} from './commit-log.js'
import { LogFailedError } from './errors.js'
import { BatchedEntries } from './internal/batched-entries.js'
import { assertLimit, assertNewEntry, assertVersion, outOfTurn } from './internal/entry-checks.js'
import { DirectoryLock } from './internal/file/directory-lock.js'
import type { FileSystem } from './internal/file/file-system.js'
import { nodeFileSystem } from './internal/file/node-file-system.js'
import { assertTorn, entriesAfter, type Frames, readFrames } from './internal/file/segment.js'
import { SegmentAppender } from './internal/file/segment-appender.js'
import {
  FORM_ENTRIES,
  FORM_TOMBSTONES,
  FRAME_HEADER_BYTES,
  SEGMENT_HEADER_BYTES,
} from './internal/file/segment-format.js'
import { isUnfinished } from './internal/file/segment-name.js'
import { SegmentReader } from './internal/file/segment-reader.js'
import { replaceByTombstones } from './internal/file/tombstone-segment.js'

export interface FileCommitLogOptions {
  /** `write` (default) takes the directory's lock; `read` takes none, creates and changes nothing. */
  mode?: 'write' | 'read'
  /** Where a new segment begins, in bytes. Default 16 MiB, at least 4 KiB. */
  segmentBytes?: number
  env?: Env
  signal?: AbortSignal | undefined
  /** Default: the system's. Tests inject faults here. */
  fileSystem?: FileSystem
}

interface Pending {
  entry: NewLogEntry
  resolve: (result: AppendResult) => void
  reject: (error: unknown) => void
}

const INLINE_LIMIT_BYTES = 1_048_576
const DEFAULT_SEGMENT_BYTES = 16_777_216
const MIN_SEGMENT_BYTES = 4096
// A group ends here, so that its first entry doesn't wait for the bytes of all others.
const GROUP_BYTES = 4_194_304
const GROUP_ENTRIES = 512
// A batch of entries read from the active segment.
const BATCH_BYTES = 4_194_304
// Below this, starting a segment anew costs more than reading the entries that were truncated.
const MIN_ROLL_BYTES = 65_536

/**
 * The commit log of an embedded database, as segments in `<directory>/log`.
 *
 * 1. One process writes, by the directory's lock; so the next version is always known, and appends
 *    are pipelined: all that wait while a write is under way go into the next one, together.
 * 2. An entry is durable when its write is (O_DSYNC); appends settle in version order.
 * 3. A write or sync that fails ends the log: what is on the disk then isn't known, and asking again
 *    would be told success. Reading goes on; reopening reads what is there.
 * 4. Opening cuts a torn write off the end. Each frame tells which entries were durable when it was
 *    written, so a damaged entry that was acknowledged isn't mistaken for one; after a clean close
 *    the lock's note tells the last version, so that nothing can be missing unnoticed.
 */
export class FileCommitLog implements CommitLog {
  readonly exclusive: boolean
  readonly inlineLimitBytes: number = INLINE_LIMIT_BYTES
  readonly #directory: string
  readonly #fs: FileSystem
  readonly #env: Env
  readonly #segmentBytes: number
  readonly #reader: SegmentReader
  readonly #lock: DirectoryLock | undefined
  /** What opening read of the last segment, until somebody has read it or it grows. */
  #recovered: Frames | undefined
  #appender: SegmentAppender | undefined
  /** The last entry that is durable. */
  #durable = { version: 0, timestamp: 0 }
  /** The last entry that was handed in. */
  #last = { version: 0, timestamp: 0 }
  /** Whether the last frame says that the log was closed. */
  #sealed = true
  #pending: Pending[] = []
  #draining: Promise<void> | undefined
  #rollWanted = false
  #truncating: Promise<void> = Promise.resolve()
  /** Counts segments replaced: a reader that finds one changed under it looks again. */
  #replacements = 0
  /** Every segment up to the one that begins here is known to hold tombstones. */
  #tombstonesUntil = 0
  #failure: LogFailedError | undefined
  #closing: Promise<void> | undefined

  private constructor(
    directory: string,
    options: FileCommitLogOptions,
    lock: DirectoryLock | undefined,
  ) {
    this.#directory = join(directory, 'log')
    this.#fs = options.fileSystem ?? nodeFileSystem
    this.#env = options.env ?? systemEnv
    this.#segmentBytes = options.segmentBytes ?? DEFAULT_SEGMENT_BYTES
    this.#reader = new SegmentReader(this.#fs, this.#directory)
    this.#lock = lock
    this.exclusive = lock !== undefined
  }

  /**
   * Opens the log of a database directory; in write mode creates it where there is none.
   *
   * Throws `LockedError` while another writer has it, `CorruptionError` where acknowledged entries
   * at its end are damaged or missing (others when they are read), `FormatVersionError` for segments
   * of a newer release.
   */
  static async open(
    directory: string,
    options: FileCommitLogOptions = {},
  ): Promise<FileCommitLog> {
    const { segmentBytes } = options
    if (segmentBytes !== undefined && !(segmentBytes >= MIN_SEGMENT_BYTES)) {
      throw new InvalidArgumentError(
        `segmentBytes is at least ${MIN_SEGMENT_BYTES}, got ${segmentBytes}`,
      )
    }
    options.signal?.throwIfAborted()
    const fs = options.fileSystem ?? nodeFileSystem
    const env = options.env ?? systemEnv
    if (options.mode === 'read') {
      const log = new FileCommitLog(directory, options, undefined)
      await openable(directory, async () => {
        // The lock first: entries that come later can't be fewer than its note says.
        const { note } = await inspectLock(directory, env)
        log.#reader.list()
        assertCleanEnd(note, log.#reader.readLast()?.lastVersion ?? 0)
      })
      return log
    }
    const lock = await openable(directory, () => {
      fs.makeDirectory(directory)
      return DirectoryLock.acquire(directory, { env, signal: options.signal })
    })
    try {
      const log = new FileCommitLog(directory, options, lock)
      await openable(directory, () => log.#recover(lock.previousNote))
      return log
    } catch (error) {
      // The note stays: what it tells of is still to be found, or still missing.
      lock.release(lock.previousNote)
      throw error
    }
  }

  readAfter(version: number, options: ReadLogOptions = {}): AsyncIterable<LogEntry> {
    this.#assertOpen()
    assertVersion(version)
    assertLimit(options.limit)
    let position = version
    let left = options.limit ?? Infinity
    // Fixed at the first batch: the log may grow faster than somebody reads it.
    let end: number | undefined
    return new BatchedEntries(async () => {
      options.signal?.throwIfAborted()
      this.#assertOpen()
      if (left <= 0) return undefined
      let batch: LogEntry[] | undefined
      if (this.exclusive) {
        end ??= this.#durable.version
        batch = position >= end ? undefined : await this.#batchAfter(position, left, end)
      } else {
        batch = await this.#batchOfOthers(position, left)
      }
      position += batch?.length ?? 0
      left -= batch?.length ?? 0
      return batch
    })
  }

  append(entry: NewLogEntry, options: LogCallOptions = {}): Promise<AppendResult> {
    try {
      this.#assertOpen()
      assertNewEntry(entry)
      options.signal?.throwIfAborted()
      if (!this.exclusive) {
        throw new InvalidArgumentError(`this log was opened with mode 'read': nothing can be appended`)
      }
      if (this.#failure !== undefined) throw this.#failure
      if (entry.payload.length > 0x7fffffff) {
        throw new InvalidArgumentError('a payload takes less than 2 GiB; write it as files')
      }
      if (entry.version <= this.#last.version) return this.#winnerOf(entry.version)
      if (entry.version > this.#last.version + 1) throw outOfTurn(entry.version, this.#last.version)
      if (entry.timestamp <= this.#last.timestamp) {
        throw new InvalidArgumentError(
          `entry ${entry.version} has timestamp ${entry.timestamp}, not after ${this.#last.timestamp} of the one before`,
        )
      }
    } catch (error) {
      return Promise.reject(error)
    }
    this.#last = { version: entry.version, timestamp: entry.timestamp }
    return new Promise((resolve, reject) => {
      this.#pending.push({ entry, resolve, reject })
      this.#draining ??= this.#drain()
    })
  }

  async truncate(through: number, options: LogCallOptions = {}): Promise<void> {
    this.#assertOpen()
    assertVersion(through)
    options.signal?.throwIfAborted()
    if (!this.exclusive) {
      throw new InvalidArgumentError(`this log was opened with mode 'read': it can't be truncated`)
    }
    // One at a time, and the next one also after one that failed.
    const turn = this.#truncating.catch(() => undefined).then(() => this.#truncate(through, options))
    this.#truncating = turn
    turn.catch(() => undefined)
    await turn
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  // ── Opening ──────────────────────────────────────────────────────────────────────────────────

  async #recover(note: unknown): Promise<void> {
    const names = this.#reader.list()
    for (const name of names) if (isUnfinished(name)) this.#fs.remove(join(this.#directory, name))
    const frames = this.#reader.readLast()
    assertCleanEnd(note, frames?.lastVersion ?? 0)
    if (frames === undefined) return
    const what = this.#reader.nameOf(frames.firstVersion)
    assertTorn(frames, what)
    if (frames.header.form !== FORM_ENTRIES) {
      throw new CorruptionError(`${what}: the last segment holds tombstones, later ones are missing`)
    }
    this.#recovered = frames
    this.#durable = { version: frames.lastVersion, timestamp: frames.lastTimestamp }
    if (frames.lastTimestamp === 0 && frames.lastVersion > 0) await this.#recoverTimestamp()
    this.#last = this.#durable
    this.#sealed = frames.closed
    // Entries that may not be durable are made so before anybody is told of them.
    if (!frames.closed) this.#appender = await this.#resume(frames)
  }

  /** The last segment is new and empty: the last entry is the one before it. */
  async #recoverTimestamp(): Promise<void> {
    const { version } = this.#durable
    const [entry] = await this.#reader.completeAfter(version - 1, 1)
    this.#durable = { version, timestamp: entry?.timestamp ?? 0 }
  }

  #resume(frames: Frames): Promise<SegmentAppender> {
    const options = { limitBytes: this.#segmentBytes }
    return SegmentAppender.resume(this.#fs, this.#directory, frames, options)
  }

  // ── Reading ──────────────────────────────────────────────────────────────────────────────────

  /** Entries after `version`, which is before `end`, the last durable one at some moment. */
  async #batchAfter(version: number, limit: number, end: number): Promise<LogEntry[]> {
    const most = Math.min(limit, end - version)
    for (;;) {
      const active = this.#appender?.firstVersion ?? this.#recovered?.firstVersion
      const replacements = this.#replacements
      try {
        if (active === undefined || version + 1 < active) {
          return await this.#reader.completeAfter(version, most)
        }
        if (this.#recovered !== undefined) {
          const entries = entriesAfter(this.#recovered, version, most)
          // Whoever opens the log reads it to its end, once; later reads go to the file.
          if (version + entries.length === this.#recovered.lastVersion) this.#forgetRecovered()
          return entries
        }
        return await this.#activeAfter(this.#appender as SegmentAppender, version, most)
      } catch (error) {
        if (replacements === this.#replacements) throw error
      }
    }
  }

  #forgetRecovered(): void {
    if (this.#appender !== undefined) this.#recovered = undefined
  }

  async #activeAfter(
    appender: SegmentAppender,
    version: number,
    limit: number,
  ): Promise<LogEntry[]> {
    const { firstVersion, offsets, seed } = appender
    const first = version + 1 - firstVersion
    const start = offsets[first] as number
    let last = first + 1
    while (last < offsets.length && last - first < limit) {
      if ((offsets[last] as number) - start > BATCH_BYTES) break
      last++
    }
    const end = offsets[last] ?? appender.end
    const what = this.#reader.nameOf(firstVersion)
    const bytes = await this.#fs.readAsync(this.#reader.pathOf(firstVersion), start, end)
    const header = { id: '', firstVersion, form: FORM_ENTRIES, seed }
    const frames = readFrames(bytes, start, start, header, version + 1, what)
    if (frames.offsets.length < last - first) {
      throw new CorruptionError(`${what}: entry ${frames.lastVersion + 1} is damaged, at offset ${frames.end}`)
    }
    return entriesAfter(frames, version, limit)
  }

  /** For a reader without the lock: what others wrote, as the files are now. */
  async #batchOfOthers(version: number, limit: number): Promise<LogEntry[]> {
    this.#reader.list()
    const { segments } = this.#reader
    const last = segments.at(-1)
    if (last === undefined) return []
    return version + 1 < last
      ? this.#reader.completeAfter(version, limit)
      : this.#reader.tailAfter(version, limit)
  }

  async #winnerOf(version: number): Promise<AppendResult> {
    // It may be one that is still being written.
    while (version > this.#durable.version && this.#failure === undefined) {
      await this.#draining
    }
    if (this.#failure !== undefined && version > this.#durable.version) throw this.#failure
    const [winner] = await this.#batchAfter(version - 1, 1, version)
    if (winner === undefined) throw new CorruptionError(`entry ${version} can't be read back`)
    return { appended: false, winner }
  }

  // ── Appending ────────────────────────────────────────────────────────────────────────────────

  async #drain(): Promise<void> {
    // Appends of the same turn join the first group.
    await undefined
    try {
      while (this.#pending.length > 0 || this.#rollWanted) {
        if (this.#rollWanted) {
          this.#rollWanted = false
          if (this.#appender !== undefined && this.#appender.offsets.length > 0) await this.#roll()
        }
        if (this.#pending.length > 0) await this.#appendGroup()
      }
    } catch (error) {
      this.#fail(error)
    } finally {
      this.#draining = undefined
    }
  }

  async #appendGroup(): Promise<void> {
    const group: Pending[] = []
    let bytes = 0
    for (const pending of this.#pending) {
      if (group.length > 0 && pending.entry.startsSegment === true) break
      const size = FRAME_HEADER_BYTES + pending.entry.payload.length
      if (group.length > 0 && bytes + size > GROUP_BYTES) break
      group.push(pending)
      bytes += size
      if (group.length === GROUP_ENTRIES) break
    }
    if (group[0]?.entry.startsSegment === true) await this.#rollIfWorthwhile()
    const appender = await this.#appenderFor(bytes)
    this.#sealed = false
    await appender.append(
      group.map(({ entry }) => entry),
      this.#durable.version,
    )
    this.#recovered = undefined
    const last = (group.at(-1) as Pending).entry
    this.#durable = { version: last.version, timestamp: last.timestamp }
    this.#pending = this.#pending.slice(group.length)
    for (const { resolve } of group) resolve({ appended: true })
  }

  async #appenderFor(bytes: number): Promise<SegmentAppender> {
    if (this.#appender === undefined && this.#recovered !== undefined) {
      this.#appender = await this.#resume(this.#recovered)
    }
    if (this.#appender === undefined) {
      this.#fs.makeDirectory(this.#directory)
      await this.#fs.syncDirectory(dirname(this.#directory))
      return this.#startSegment()
    }
    return this.#appender.hasRoomFor(bytes) ? this.#appender : this.#roll()
  }

  async #rollIfWorthwhile(): Promise<void> {
    const active = this.#appender
    if (active === undefined || active.offsets.length === 0) return
    if (active.end - SEGMENT_HEADER_BYTES >= MIN_ROLL_BYTES) await this.#roll()
  }

  async #roll(): Promise<SegmentAppender> {
    const before = this.#appender as SegmentAppender
    const appender = await this.#startSegment()
    await before.close({ cut: true })
    return appender
  }

  async #startSegment(): Promise<SegmentAppender> {
    const firstVersion = this.#durable.version + 1
    const options = { env: this.#env, limitBytes: this.#segmentBytes }
    this.#appender = await SegmentAppender.create(this.#fs, this.#directory, firstVersion, options)
    this.#recovered = undefined
    this.#reader.segments.push(firstVersion)
    return this.#appender
  }

  #fail(error: unknown): void {
    this.#failure ??= this.#failed(error)
    const pending = this.#pending
    this.#pending = []
    this.#last = this.#durable
    for (const { reject } of pending) reject(this.#failure)
  }

  // ── Truncating ───────────────────────────────────────────────────────────────────────────────

  async #truncate(through: number, options: LogCallOptions): Promise<void> {
    const limit = Math.min(through, this.#durable.version)
    await this.#rollIfItHelps(limit)
    for (const first of [...this.#reader.segments]) {
      const next = this.#reader.nextSegment(first)
      if (next === undefined || next - 1 > limit) break
      if (first <= this.#tombstonesUntil) continue
      options.signal?.throwIfAborted()
      await this.#toTombstones(first)
      this.#tombstonesUntil = first
    }
  }

  /** Only segments that are complete can be replaced: the active one is ended where that pays. */
  async #rollIfItHelps(limit: number): Promise<void> {
    const active = this.#appender
    if (active === undefined || active.firstVersion > limit) return
    const bytes = active.end - SEGMENT_HEADER_BYTES
    const all = limit === this.#durable.version
    if (bytes < (all ? Math.min(MIN_ROLL_BYTES, this.#segmentBytes / 4) : this.#segmentBytes / 4)) return
    this.#rollWanted = true
    this.#draining ??= this.#drain()
    await this.#draining
    if (this.#failure !== undefined) throw this.#failure
  }

  async #toTombstones(first: number): Promise<void> {
    const path = this.#reader.pathOf(first)
    const start = await this.#fs.readAsync(path, 0, SEGMENT_HEADER_BYTES)
    if (start[10] === FORM_TOMBSTONES) return
    const entries = await this.#reader.completeAfter(first - 1, Infinity)
    await replaceByTombstones(this.#fs, this.#directory, entries, this.#env)
    this.#reader.forget(first)
    this.#replacements++
  }

  // ── Closing ──────────────────────────────────────────────────────────────────────────────────

  async #close(): Promise<void> {
    await this.#draining
    await this.#truncating.catch(() => undefined)
    await this.#draining
    const lock = this.#lock
    if (lock === undefined) return
    const { version, timestamp } = this.#durable
    let clean = this.#failure === undefined
    try {
      if (clean && !this.#sealed && this.#appender !== undefined) {
        await this.#appender.appendEnd(version, timestamp)
      }
    } catch (error) {
      clean = false
      this.#failure ??= this.#failed(error)
    }
    try {
      await this.#appender?.close({ cut: clean })
    } catch {
      // Space that couldn't be given back: the next one to open finds zeros behind the end.
    }
    lock.release(clean ? { version } : undefined)
  }

  #failed(cause: unknown): LogFailedError {
    return new LogFailedError(
      `the commit log in ${this.#directory} could not be written (${reasonOf(cause)}) and accepts no more commits; free space or repair the disk, then reopen the database`,
      cause,
    )
  }

  #assertOpen(): void {
    if (this.#closing !== undefined) throw new ClosedError(`the commit log in ${this.#directory} is closed`)
  }
}

/** Gives errors of the system a code and a place. */
async function openable<T>(directory: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (!isSystemError(error)) throw error
    throw new LogFailedError(
      `the commit log in ${directory} could not be opened (${reasonOf(error)}); see that the directory can be read and written and has space`,
      error,
    )
  }
}

function isSystemError(error: unknown): boolean {
  return typeof (error as { syscall?: unknown } | null)?.syscall === 'string'
}

/** `ENOSPC`, `EIO` …: never a message, which may hold anything. */
function reasonOf(error: unknown): string {
  const code = (error as { code?: unknown } | null)?.code
  return typeof code === 'string' ? code : 'unknown error'
}

async function inspectLock(directory: string, env: Env): Promise<{ note: unknown }> {
  try {
    return await DirectoryLock.inspect(directory, { env })
  } catch (error) {
    if ((error as { code?: unknown }).code === 'ENOENT') return { note: undefined }
    throw error
  }
}

/** Every version that the last owner left when it closed the log is there. */
function assertCleanEnd(note: unknown, lastVersion: number): void {
  const { version } = (note ?? {}) as { version?: unknown }
  if (typeof version === 'number' && version > lastVersion) {
    throw new CorruptionError(
      `the commit log was closed at version ${version}, but ends at ${lastVersion}: entries are damaged or missing. Restore from a backup`,
    )
  }
}
