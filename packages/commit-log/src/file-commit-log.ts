import { join } from 'node:path'
import { ClosedError, CorruptionError, type Env, InvalidArgumentError, systemEnv } from '@firn/env'
import {
  absolutePath,
  codeOf,
  type FileSystem,
  nodeFileSystem,
  type PinnedDirectory,
} from '@firn/vfs'
import type {
  AppendResult,
  CommitLog,
  LogCallOptions,
  LogEntry,
  NewLogEntry,
  ReadLogOptions,
  TruncateOptions,
} from './commit-log.js'
import { BatchedEntries } from './internal/batched-entries.js'
import { assertLimit, assertNewEntry, assertVersion, outOfTurn } from './internal/entry-checks.js'
import { assertCleanEnd, type CleanEnd, inspectNote } from './internal/file/clean-end.js'
import { DirectoryLock } from './internal/file/directory-lock.js'
import { GroupWriter, MIN_SEGMENT_TO_END_BYTES } from './internal/file/group-writer.js'
import { withLogErrors } from './internal/file/log-errors.js'
import { LogFileSystem } from './internal/file/log-file-system.js'
import { assertTorn, entriesAfter, type Frames } from './internal/file/segment.js'
import {
  FORM_ENTRIES,
  FORM_TOMBSTONES,
  SEGMENT_HEADER_BYTES,
} from './internal/file/segment-format.js'
import { isUnfinished, markedVersions, markName } from './internal/file/segment-name.js'
import { SegmentReader } from './internal/file/segment-reader.js'
import { replaceByTombstones } from './internal/file/tombstone-segment.js'

export interface FileCommitLogOptions {
  /** `write` (default) takes the directory's lock. `read` takes no lock and changes nothing. */
  mode?: 'write' | 'read'
  /** The size at which a new segment begins, in bytes. Default 16 MiB, at least 4 KiB. */
  segmentBytes?: number
  env?: Env
  signal?: AbortSignal | undefined
  /** Default: the system's. Tests inject faults here. */
  fileSystem?: FileSystem
  /** Called once if the file system can't sync directories. */
  onWarning?: ((message: string, error: unknown) => void) | undefined
}

const INLINE_LIMIT_BYTES = 1_048_576
const DEFAULT_SEGMENT_BYTES = 16_777_216
const MIN_SEGMENT_BYTES = 4096
const MAX_PAYLOAD_BYTES = 0x7fffffff

/**
 * The commit log of an embedded database: segments in `<directory>/log`.
 *
 * 1. One process writes; it holds the directory's lock. So the next version is always known, and
 *    appends are pipelined: all that wait while a write is under way share the next one.
 * 2. An entry is durable when its write is (O_DSYNC). The calling thread makes the write itself
 *    while that is quicker than asking the thread pool (`WritePace`). Appends settle in version
 *    order. A lazy entry is written by the call, so that it outlives the process; it is synced with
 *    the next entry that isn't lazy, or by `sync`.
 * 3. A failed write or sync ends the log: what is on disk is then unknown, and a second sync would
 *    report success. Reads go on; reopening reads what is there.
 * 4. Truncation replaces each segment whose entries all go by a small segment of tombstones. A
 *    segment that is truncated in part gets a mark: an empty file whose name is the version up to
 *    which entries are tombstones, though their payloads are still there.
 * 5. Opening cuts a torn write off the end. Each frame records which entries were durable when it
 *    was written, so a damaged entry that was acknowledged isn't mistaken for a torn one. After a
 *    clean close the lock's note holds the last version, so that nothing can go missing unnoticed.
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
  readonly #pinned: PinnedDirectory
  /** Set at the end of opening, in write mode. */
  #writer: GroupWriter | undefined
  /** The last segment as opening read it, until it has been read once or grows. */
  #recovered: Frames | undefined
  #truncating: Promise<void> = Promise.resolve()
  /** Counts replaced segments: a reader that finds one changed under it reads again. */
  #replacements = 0
  /** Every segment up to the one that begins here is known to hold tombstones. */
  #tombstonesUntil = 0
  /** Entries up to this one are tombstones, whatever their segments still hold. */
  #truncatedThrough = 0
  #closing: Promise<void> | undefined

  private constructor(
    directory: string,
    options: FileCommitLogOptions,
    lock: DirectoryLock | undefined,
    pinned: PinnedDirectory,
  ) {
    this.#directory = join(directory, 'log')
    this.#pinned = pinned
    const isOpening = (): boolean => this.#lock !== undefined && this.#writer === undefined
    this.#fs = new LogFileSystem(options.fileSystem ?? nodeFileSystem, {
      directory,
      pinned,
      isOpening,
      onWarning: options.onWarning,
    })
    this.#env = options.env ?? systemEnv
    this.#segmentBytes = options.segmentBytes ?? DEFAULT_SEGMENT_BYTES
    this.#reader = new SegmentReader(this.#fs, this.#directory)
    this.#lock = lock
    this.exclusive = lock !== undefined
  }

  /**
   * Opens the log of a database directory; in write mode creates it if there is none.
   *
   * Throws `LockedError` if another writer has it, `CorruptionError` if acknowledged entries at its
   * end are damaged or missing (other entries: when they are read), `FormatVersionError` for
   * segments of a newer release, and `LogFailedError` if the file system fails.
   */
  static async open(path: string, options: FileCommitLogOptions = {}): Promise<FileCommitLog> {
    const directory = absolutePath(path, 'the directory of a commit log')
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
      const pinned = await withLogErrors(directory, 'opened', async () => pinIfThere(fs, directory))
      const log = new FileCommitLog(directory, options, undefined, pinned)
      try {
        await withLogErrors(directory, 'opened', async () => {
          // Read the note before the list: the log can only have grown since the note was written.
          const note = await inspectNote(directory, { env, fileSystem: fs })
          log.#list()
          assertCleanEnd(note, log.#reader.readLast()?.lastVersion ?? 0)
        })
        return log
      } catch (error) {
        pinned.release()
        throw error
      }
    }
    const acquire = (): Promise<DirectoryLock> =>
      DirectoryLock.acquire(directory, { env, fileSystem: fs, signal: options.signal })
    const lock = await withLogErrors(directory, 'opened', () =>
      acquire().catch((error: unknown) => {
        if (codeOf(error) !== 'ENOENT') throw error
        fs.makeDirectoriesSync(directory)
        return acquire()
      }),
    )
    try {
      const log = new FileCommitLog(directory, options, lock, lock.pinned)
      await withLogErrors(directory, 'opened', () => log.#recover(lock.previousNote))
      return log
    } catch (error) {
      // Keep the note: the version it names is still to be found, or still missing.
      try {
        lock.release(lock.previousNote)
      } catch {
        // The caller should see the first error.
      }
      throw error
    }
  }

  readAfter(version: number, options: ReadLogOptions = {}): AsyncIterable<LogEntry> {
    this.#assertOpen()
    assertVersion(version)
    assertLimit(options.limit)
    let position = version
    let left = options.limit ?? Infinity
    // Fixed at the first batch: the log may grow faster than it is read.
    let end: number | undefined
    const nextBatch = async (): Promise<LogEntry[] | undefined> => {
      options.signal?.throwIfAborted()
      this.#assertOpen()
      if (left <= 0) return undefined
      let batch: LogEntry[] | undefined
      if (this.#writer === undefined) {
        batch = await this.#batchOfOthers(position, left)
      } else {
        end ??= this.#writer.written.version
        batch = position >= end ? undefined : await this.#batchAfter(position, left, end)
      }
      position += batch?.length ?? 0
      left -= batch?.length ?? 0
      return batch
    }
    return new BatchedEntries(() => withLogErrors(this.#directory, 'read', nextBatch))
  }

  async append(entry: NewLogEntry, options: LogCallOptions = {}): Promise<AppendResult> {
    this.#assertOpen()
    assertNewEntry(entry)
    options.signal?.throwIfAborted()
    const writer = this.#writable()
    if (writer.failure !== undefined) throw writer.failure
    if (entry.payload.length > MAX_PAYLOAD_BYTES) {
      throw new InvalidArgumentError(
        'a payload must be less than 2 GiB; write larger data as files',
      )
    }
    const { last } = writer
    if (entry.version <= last.version) return this.#winnerOf(writer, entry.version)
    if (entry.version > last.version + 1) throw outOfTurn(entry.version, last.version)
    if (entry.timestamp <= last.timestamp) {
      throw new InvalidArgumentError(
        `entry ${entry.version} has timestamp ${entry.timestamp}, not after ${last.timestamp} of the one before`,
      )
    }
    this.#recovered = undefined
    await writer.append(entry)
    return { appended: true }
  }

  async sync(): Promise<void> {
    this.#assertOpen()
    await this.#writable().sync()
  }

  /** Grows while a segment begins, which takes three syncs, and after a slow write. */
  get pendingBytes(): number {
    return this.#writer?.pendingBytes ?? 0
  }

  writeOut(options: { durable: boolean }): void {
    if (this.#closing === undefined) this.#writer?.writeOut(options)
  }

  async truncate(through: number, options: TruncateOptions = {}): Promise<void> {
    this.#assertOpen()
    assertVersion(through)
    options.signal?.throwIfAborted()
    const writer = this.#writable()
    // One at a time. A failed truncation doesn't stop the next one.
    const turn = this.#truncating
      .catch(() => undefined)
      .then(() =>
        withLogErrors(this.#directory, 'truncated', () => this.#truncate(writer, through, options)),
      )
    this.#truncating = turn
    await turn
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #recover(note: unknown): Promise<void> {
    const names = this.#list()
    for (const name of names) {
      if (isUnfinished(name)) this.#fs.removeSync(join(this.#directory, name))
    }
    const frames = this.#reader.readLast()
    const version = frames?.lastVersion ?? 0
    assertCleanEnd(note, version)
    await this.#assertMarksWithin(version, names)
    let timestamp = 0
    if (frames !== undefined) {
      const what = this.#reader.nameOf(frames.firstVersion)
      assertTorn(frames, what)
      if (frames.header.form !== FORM_ENTRIES) {
        throw new CorruptionError(`${what}: it holds tombstones, and later segments are missing`)
      }
      timestamp = frames.lastTimestamp
      // The last segment may be new and empty: the last entry is then in the one before.
      if (timestamp === 0 && version > 0) {
        timestamp = (await this.#reader.completeAfter(version - 1, 1))[0]?.timestamp ?? 0
      }
    }
    const writer = new GroupWriter(
      {
        fileSystem: this.#fs,
        directory: this.#directory,
        env: this.#env,
        segmentBytes: this.#segmentBytes,
        onSegment: (firstVersion) => void this.#reader.segments.push(firstVersion),
      },
      { version, timestamp },
    )
    if (frames !== undefined) await writer.takeOver(frames)
    this.#recovered = frames
    this.#writer = writer
  }

  /** Lists the directory again; returns all names in it. */
  #list(): string[] {
    const names = this.#reader.list()
    this.#truncatedThrough = markedVersions(names).at(-1) ?? 0
    return names
  }

  /**
   * Removes marks beyond the last version: a mark from another copy of this log, for instance,
   * would hide entries yet to come.
   */
  async #assertMarksWithin(version: number, names: readonly string[]): Promise<void> {
    if (this.#truncatedThrough <= version) return
    const marks = markedVersions(names)
    for (const mark of marks) if (mark > version) this.#removeMark(mark)
    await this.#fs.syncDirectory(this.#directory)
    this.#truncatedThrough = marks.findLast((mark) => mark <= version) ?? 0
  }

  /**
   * Entries after `version`, up to `end`: the last durable version at some moment, and greater than
   * `version`.
   */
  async #batchAfter(version: number, limit: number, end: number): Promise<LogEntry[]> {
    return this.#asTruncated(await this.#storedAfter(version, limit, end))
  }

  async #storedAfter(version: number, limit: number, end: number): Promise<LogEntry[]> {
    const most = Math.min(limit, end - version)
    for (;;) {
      const active = this.#writer?.active
      const recovered = this.#recovered
      const replacements = this.#replacements
      try {
        if (active === undefined || version + 1 < active.firstVersion) {
          return await this.#reader.completeAfter(version, most)
        }
        if (recovered?.firstVersion === active.firstVersion) {
          const entries = entriesAfter(recovered, version, most)
          // Opening reads the log to its end once; later reads go to the file.
          if (version + entries.length === recovered.lastVersion) this.#recovered = undefined
          return entries
        }
        return await this.#reader.activeAfter(active, version, most)
      } catch (error) {
        if (replacements === this.#replacements) throw error
      }
    }
  }

  /** For a reader without the lock: the entries of another process, as the files are now. */
  async #batchOfOthers(version: number, limit: number): Promise<LogEntry[]> {
    this.#list()
    const last = this.#reader.segments.at(-1)
    if (last === undefined) return []
    return this.#asTruncated(
      version + 1 < last
        ? await this.#reader.completeAfter(version, limit)
        : await this.#reader.tailAfter(version, limit),
    )
  }

  /** The entries, without payloads that were truncated but are still stored. */
  #asTruncated(entries: LogEntry[]): LogEntry[] {
    const through = this.#truncatedThrough
    const [first] = entries
    if (first === undefined || first.version > through) return entries
    return entries.map((entry) =>
      entry.version > through ? entry : { ...entry, payload: undefined },
    )
  }

  async #winnerOf(writer: GroupWriter, version: number): Promise<AppendResult> {
    // It may still be being written.
    if (version > writer.written.version) await writer.settled()
    if (version > writer.written.version) throw writer.failure ?? this.#closed()
    const [winner] =
      (await withLogErrors(this.#directory, 'read', () =>
        this.#batchAfter(version - 1, 1, version),
      )) ?? []
    if (winner === undefined) throw new CorruptionError(`entry ${version} can't be read back`)
    return { appended: false, winner }
  }

  async #truncate(writer: GroupWriter, through: number, options: TruncateOptions): Promise<void> {
    const limit = Math.min(through, writer.written.version)
    if (this.#endingHelps(writer, limit)) await writer.endSegment()
    // The version up to which all entries are known to be tombstones; may exceed `limit`.
    let covered = (this.#reader.nextSegment(this.#tombstonesUntil) ?? 1) - 1
    for (const first of [...this.#reader.segments]) {
      const next = this.#reader.nextSegment(first)
      if (next === undefined || next - 1 > limit) break
      covered = Math.max(covered, next - 1)
      if (first <= this.#tombstonesUntil) continue
      options.signal?.throwIfAborted()
      await this.#toTombstones(first)
      this.#tombstonesUntil = first
    }
    const isMissing = limit > covered && limit > this.#truncatedThrough
    if (isMissing && options.lazy !== true) await this.#mark(writer, limit)
    else if (covered >= this.#truncatedThrough) this.#dropMark()
  }

  /** Turns entries up to `through` into tombstones if their segment can't be replaced yet. */
  async #mark(writer: GroupWriter, through: number): Promise<void> {
    // A mark that outlives its entries would hide the entries that replace them.
    await writer.sync()
    try {
      this.#fs.createFileSync(join(this.#directory, markName(through)), [])
    } catch (error) {
      // An earlier attempt that failed later made it.
      if (codeOf(error) !== 'EEXIST') throw error
    }
    await this.#fs.syncDirectory(this.#directory)
    this.#dropMark()
    this.#truncatedThrough = through
  }

  /**
   * Removes a mark that isn't needed any more. One that can't be removed does no harm: the greatest
   * counts.
   */
  #dropMark(): void {
    if (this.#truncatedThrough === 0) return
    try {
      this.#removeMark(this.#truncatedThrough)
      this.#truncatedThrough = 0
    } catch {}
  }

  #removeMark(version: number): void {
    this.#fs.removeSync(join(this.#directory, markName(version)))
  }

  /** Whether ending the active segment pays: only complete segments can be replaced. */
  #endingHelps(writer: GroupWriter, limit: number): boolean {
    const { active } = writer
    if (active === undefined || active.firstVersion > limit) return false
    const bytes = active.end - SEGMENT_HEADER_BYTES
    // All of it can go now, or a good part of it next time.
    const enough = this.#segmentBytes / 4
    return (
      bytes >= enough || (limit === writer.written.version && bytes >= MIN_SEGMENT_TO_END_BYTES)
    )
  }

  async #toTombstones(first: number): Promise<void> {
    const path = this.#reader.pathOf(first)
    const start = await this.#fs.readFile(path, 0, SEGMENT_HEADER_BYTES)
    if (start[10] === FORM_TOMBSTONES) return
    const entries = await this.#reader.completeAfter(first - 1, Infinity)
    await replaceByTombstones(this.#fs, this.#directory, entries, this.#env)
    this.#reader.forget(first)
    this.#replacements++
  }

  async #close(): Promise<void> {
    const writer = this.#writer
    if (writer === undefined) return this.#pinned.release()
    await this.#truncating.catch(() => undefined)
    await writer.settled()
    const clean = await writer.close()
    this.#recovered = undefined
    const end: CleanEnd = { version: writer.written.version }
    this.#lock?.release(clean ? end : undefined)
  }

  #writable(): GroupWriter {
    if (this.#writer !== undefined) return this.#writer
    throw new InvalidArgumentError(
      `the commit log in ${this.#directory} was opened with mode 'read': it can't be changed`,
    )
  }

  #assertOpen(): void {
    if (this.#closing !== undefined) throw this.#closed()
  }

  #closed(): ClosedError {
    return new ClosedError(`the commit log in ${this.#directory} is closed`)
  }
}

/** Pins the directory. A missing one is a log without entries, which nothing can replace. */
function pinIfThere(fs: FileSystem, directory: string): PinnedDirectory {
  try {
    return fs.pin(directory)
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error
    return {
      id: '',
      device: '',
      isInPlace: () => true,
      currentPath: () => undefined,
      release: () => {},
    }
  }
}
