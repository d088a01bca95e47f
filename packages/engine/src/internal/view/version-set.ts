import type { LogEntry } from '@firn/commit-log'
import {
  applyEntry,
  type DatabaseState,
  decodeEdits,
  type FileMeta,
  readRecords,
} from '@firn/manifest'
import { KIND_DELETE } from '@firn/mvcc'
import type { FileCache } from '../files/file-cache.js'
import type { ArenaPool } from '../memtable/arena-pool.js'
import { Memtable } from '../memtable/memtable.js'
import type { MemtablePartition } from '../memtable/memtable-partition.js'
import { CommitTimes } from './commit-times.js'
import { View } from './view.js'

const NO_BYTES = new Uint8Array(0)

/**
 * The state that this process knows: the fold over the log up to where it has been read, and the
 * view for readers. `state` is the log's truth. Readers see `visibleVersion`, which runs ahead of
 * the state while buffered writes wait to be appended to a log of this process alone.
 */
export class VersionSet {
  readonly #files: FileCache
  readonly #arenas: ArenaPool
  commitTimes: CommitTimes = new CommitTimes()
  state: DatabaseState
  view: View
  visibleVersion = 0
  visibleTimestamp = 0
  #active: Memtable
  /** Newest first. */
  #immutables: readonly Memtable[] = []
  #closed = false
  /** Passed to views: see `View.knownFrom`. */
  #knownFrom: number
  /** Whether the last inserted records belonged to several tables. */
  #recordsWereMixed = false

  constructor(state: DatabaseState, files: FileCache, arenas: ArenaPool) {
    this.#files = files
    this.#arenas = arenas
    this.#active = new Memtable(arenas)
    this.state = state
    this.#knownFrom = state.timestamp
    this.view = new View(state, this.#active, this.#immutables, files, this.#knownFrom)
    this.show(state.version, state.timestamp)
  }

  get active(): Memtable {
    return this.#active
  }

  get immutables(): readonly Memtable[] {
    return this.#immutables
  }

  /** Every record at or before this timestamp is in a file. */
  get flushedTimestamp(): number {
    let oldest = this.visibleTimestamp + 1
    for (const memtable of [this.#active, ...this.#immutables]) {
      for (const table of memtable.tables.values()) oldest = Math.min(oldest, table.minTimestamp)
    }
    return oldest - 1
  }

  /** Bytes of all memtables. */
  get memtableBytes(): number {
    return this.#immutables.reduce((sum, m) => sum + m.memoryBytes, this.#active.memoryBytes)
  }

  /** Bytes of all memtables and of pooled arenas. */
  get reservedBytes(): number {
    return this.memtableBytes + this.#arenas.keptBytes
  }

  /**
   * Holds the view of the state during `use`: later states may replace it, and the database may be
   * closed.
   */
  async holding(use: (view: View, state: DatabaseState) => Promise<void>): Promise<void> {
    const view = this.view.retain()
    try {
      await use(view, this.state)
    } finally {
      view.release()
    }
  }

  /** Makes a version visible to readers. Its records are in the active memtable. */
  show(version: number, timestamp: number): void {
    this.visibleVersion = version
    this.visibleTimestamp = timestamp
    this.#active.maxVersion = version
    this.commitTimes.add(version, timestamp)
  }

  /** Adds the inline records of a payload to the active memtable. */
  insertPayload(payload: Uint8Array, timestamp: number): void {
    for (const edit of decodeEdits(payload)) {
      if (edit.type === 'records') this.insertRecords(edit.bytes, timestamp)
    }
  }

  /** Adds a commit's inline records to the active memtable. */
  insertRecords(records: Uint8Array, timestamp: number): void {
    const active = this.#active
    let table: MemtablePartition | undefined
    let mixed = false
    // The partition that copies all the records at once. If earlier records belonged to several
    // tables, it would also copy other tables' records for nothing.
    let holder: MemtablePartition | undefined
    let shift = 0
    readRecords(records, (id, kind, bytes, keyStart, keyEnd, valueStart, valueEnd) => {
      if (table === undefined || table.tableId !== id) {
        mixed ||= table !== undefined
        table = active.table(id)
      }
      // A delete's header has three bytes: too few for the prefix.
      if (kind === KIND_DELETE || mixed || this.#recordsWereMixed) {
        table.insert(timestamp, kind, bytes, keyStart, keyEnd, bytes, valueStart, valueEnd)
        return
      }
      if (holder === undefined) {
        holder = table
        shift = table.hold(records)
      }
      table.insertHeld(
        timestamp,
        kind,
        keyStart + shift,
        keyEnd + shift,
        valueStart + shift,
        valueEnd + shift,
      )
    })
    this.#recordsWereMixed = mixed
  }

  /**
   * Folds the next entry of the log into the state. Its inline records are inserted unless readers
   * see them already, or files hold them (`flushedThrough`).
   */
  apply(entry: LogEntry, recordsVisible: boolean): void {
    if (this.#closed) return
    const before = this.state
    const edits = decodeEdits(entry.payload ?? NO_BYTES, `commit log entry ${entry.version}`)
    this.state = applyEntry(before, entry, edits)
    for (const edit of edits) {
      if (edit.type === 'records' && !recordsVisible && entry.version > this.state.flushedThrough) {
        this.insertRecords(edit.bytes, entry.timestamp)
      }
      if (edit.type === 'compact') {
        // A moved file is both removed and added.
        const stay = new Set(edit.added.map(({ file }) => file.id))
        this.#files.markObsolete(edit.removed.filter((id) => !stay.has(id)))
      }
      if (edit.type === 'drop-table') {
        const levels = before.tables.get(edit.id)?.levels ?? []
        this.#files.markObsolete(levels.flat().map((file) => file.id))
      }
      if (edit.type === 'flush') this.#dropFlushed(edit.through, edit.files)
    }
    if (entry.version > this.visibleVersion) this.show(entry.version, entry.timestamp)
    if (before.level0 !== this.state.level0 || before.tables !== this.state.tables)
      this.#installView()
  }

  /** Closes the active memtable if it holds anything; later commits go into a new one. */
  sealMemtable(): void {
    if (this.#closed || this.#active.records === 0) return
    this.#immutables = [this.#active, ...this.#immutables]
    this.#active = new Memtable(this.#arenas)
    this.#active.maxVersion = this.visibleVersion
    this.#installView()
  }

  /** Replaces everything with what another version set has read, in one step. */
  adopt(other: VersionSet): void {
    if (this.#closed) return
    this.state = other.state
    this.commitTimes = other.commitTimes
    this.visibleVersion = other.visibleVersion
    this.visibleTimestamp = other.visibleTimestamp
    this.#active = other.#active
    this.#immutables = other.#immutables
    this.#knownFrom = other.#knownFrom
    this.#installView()
  }

  /** Releases the view. Whatever arrives later, for example from a running refresh, is dropped. */
  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.view.release()
    this.#arenas.clear()
  }

  /**
   * Drops the records that are now in files. If another process has flushed, or a log is replayed,
   * a memtable may hold some of those and later ones. It must not keep them: what compaction drops
   * from the files (a delete, and everything it covered) would reappear from here.
   */
  #dropFlushed(through: number, files: readonly FileMeta[]): void {
    // All records of later versions have later timestamps.
    const flushed = files.reduce((max, file) => Math.max(max, file.maxTimestamp), -1)
    if (this.#active.records > 0 && this.#active.maxVersion <= through) this.sealMemtable()
    else this.#active = this.#active.after(flushed)
    this.#immutables = this.#immutables
      .filter((memtable) => memtable.maxVersion > through)
      .map((memtable) => memtable.after(flushed))
      .filter((memtable) => memtable.records > 0)
    this.#installView()
  }

  #installView(): void {
    const old = this.view
    this.view = new View(this.state, this.#active, this.#immutables, this.#files, this.#knownFrom)
    old.release()
  }
}
