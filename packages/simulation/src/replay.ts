import type { LogEntry } from '@firn/commit-log'
import { CorruptionError } from '@firn/env'
import {
  applyEntry,
  type DatabaseState,
  decodeEdits,
  type Edit,
  emptyState,
  type FileMeta,
  liveFiles,
  readRecords,
} from '@firn/manifest'
import { END, KIND_DELETE, PENDING } from '@firn/mvcc'
import { memorySource, SstReader } from '@firn/sst'
import { textOfStored } from './client/text-keys.js'
import { type Change, type Row, WHOLE_TABLE } from './history.js'
import { isInRange, type KeyRange } from './key-range.js'
import { keysOf } from './tables.js'

/** The length of the table's id in front of a key in a file. */
const ID_BYTES = 4

interface Version {
  version: number
  value: string | undefined
}

const text = new TextDecoder()

/**
 * Versions of all tables, one after the other. A dropped table takes its past with it, and a table
 * that is created again begins with none. So what a read of a version shows also depends on
 * `present`, the version at which it was made.
 */
export interface Timeline {
  /** The newest one. */
  readonly version: number
  timestampOf(version: number): number | undefined
  /** The newest version at or before a time. */
  versionAtTime(timestamp: number): number
  /** The id of the table with this name; `undefined` if there is none. */
  idOf(table: string, version: number): number | undefined
  /** The names of all tables, in order. */
  tablesAt(version: number): string[]
  valueAt(table: string, key: string, version: number, present: number): string | undefined
  /** The rows that a scan of a range returns. */
  rowsAt(table: string, range: KeyRange, version: number, present: number): Row[]
  /** The changes of a version, in order. */
  changesOf(version: number): readonly Change[]
}

/** The contents of the log: every version of every key. The order of its entries is the truth. */
export class Replay implements Timeline {
  /** The newest state; `version` is the log's end. */
  state: DatabaseState = emptyState()
  readonly #timestamps: number[] = [0]
  readonly #changes: (readonly Change[])[] = [[]]
  /** Versions whose records came in files. */
  readonly #ofFiles: Set<number> = new Set()
  readonly #tables: Map<number, Map<string, Version[]>> = new Map()
  /** By name: since when a table of this id has the name, or none does. */
  readonly #ids: Map<string, { version: number; id: number | undefined }[]> = new Map()
  /** By name: the keys of all tables that had it, in order. */
  readonly #keys: Map<string, string[]> = new Map()
  /** Files that an entry ever added, with the entry's version. */
  readonly #everAdded: Map<string, number> = new Map()

  /**
   * Replays all entries of a log. `fileBytes` returns the bytes of a file, even if it was deleted
   * since. Throws if entries don't follow each other, or if a file isn't what its entry says.
   */
  static async of(
    entries: readonly LogEntry[],
    fileBytes: (file: FileMeta) => Uint8Array | undefined,
  ): Promise<Replay> {
    const replay = new Replay()
    for (const entry of entries) await replay.#apply(entry, fileBytes)
    for (const [name, ids] of replay.#ids) {
      const keys = ids.flatMap(({ id }) => [...(replay.#tables.get(id ?? -1)?.keys() ?? [])])
      replay.#keys.set(name, [...new Set(keys)].sort())
    }
    return replay
  }

  /** Every file that the present needs. */
  liveFiles(): Iterable<FileMeta> {
    return liveFiles(this.state)
  }

  /** Every file that an entry ever named, with the entry's version. */
  get everAdded(): ReadonlyMap<string, number> {
    return this.#everAdded
  }

  get version(): number {
    return this.state.version
  }

  timestampOf(version: number): number | undefined {
    return this.#timestamps[version]
  }

  /** Returns the changes of an entry, in order. */
  changesOf(version: number): readonly Change[] {
    return this.#changes[version] ?? []
  }

  /**
   * Whether a version lacks a change of a write because another write replaced it: a file keeps
   * only the last record of each key. A put that the write itself has replaced (`replaced`) isn't
   * another write's.
   */
  isReplacedIn(version: number, { table, key }: Change, replaced: readonly Change[]): boolean {
    if (!this.#ofFiles.has(version)) return false
    const isOwn = ({ value }: Change): boolean =>
      value !== undefined && replaced.some((own) => own.value === value)
    return this.changesOf(version).some(
      (other) => other.table === table && other.key === key && !isOwn(other),
    )
  }

  /** The newest version at or before a time. */
  versionAtTime(timestamp: number): number {
    let low = 0
    let high = this.version
    while (low < high) {
      const middle = (low + high + 1) >>> 1
      if ((this.#timestamps[middle] as number) <= timestamp) low = middle
      else high = middle - 1
    }
    return low
  }

  idOf(table: string, version: number): number | undefined {
    return this.#ids.get(table)?.findLast((since) => since.version <= version)?.id
  }

  tablesAt(version: number): string[] {
    const names = [...this.#ids.keys()].filter((name) => this.idOf(name, version) !== undefined)
    return names.sort()
  }

  valueAt(table: string, key: string, version: number, present: number): string | undefined {
    const id = this.idOf(table, present)
    const versions = (id === undefined ? undefined : this.#tables.get(id)?.get(key)) ?? []
    let low = 0
    let high = versions.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((versions[middle] as Version).version <= version) low = middle + 1
      else high = middle
    }
    return versions[low - 1]?.value
  }

  /** Returns the keys that a table ever had, in order. */
  keysOf(table: string): readonly string[] {
    return this.#keys.get(table) ?? []
  }

  rowsAt(table: string, range: KeyRange, version: number, present: number): Row[] {
    return rowsOf(this.keysOf(table), range, (key) => this.valueAt(table, key, version, present))
  }

  async #apply(
    entry: LogEntry,
    fileBytes: (file: FileMeta) => Uint8Array | undefined,
  ): Promise<void> {
    const { payload } = entry
    if (payload === undefined) throw new CorruptionError(`entry ${entry.version} has no payload`)
    const edits = decodeEdits(payload)
    const before = this.state
    this.state = applyEntry(before, entry, edits)
    const { version } = entry
    const changes: Change[] = []
    for (const edit of edits) {
      if (edit.type === 'create-table') this.#name(edit.name, version, edit.id)
      if (edit.type === 'drop-table') {
        const table = before.tables.get(edit.id)?.name ?? ''
        this.#name(table, version, undefined)
        changes.push({ table, key: WHOLE_TABLE, value: undefined })
      }
      for (const { id } of filesOf(edit)) this.#everAdded.set(id, version)
      await this.#changesOf(edit, entry.timestamp, fileBytes, changes)
    }
    this.#timestamps.push(entry.timestamp)
    this.#changes.push(changes)
    for (const { table, key, value } of changes) this.#set(table, key, version, value)
  }

  #name(table: string, version: number, id: number | undefined): void {
    const ids = this.#ids.get(table) ?? []
    this.#ids.set(table, ids)
    ids.push({ version, id })
  }

  async #changesOf(
    edit: Edit,
    timestamp: number,
    fileBytes: (file: FileMeta) => Uint8Array | undefined,
    changes: Change[],
  ): Promise<void> {
    if (edit.type === 'records') {
      readRecords(edit.bytes, (id, kind, bytes, keyStart, keyEnd, valueStart, valueEnd) => {
        const table = this.#nameOf(id)
        const key = textOfStored(keysOf(table), bytes.subarray(keyStart, keyEnd))
        const value = text.decode(bytes.subarray(valueStart, valueEnd))
        changes.push({ table, key, value: kind === KIND_DELETE ? undefined : value })
      })
    }
    if (edit.type !== 'add-files') return
    this.#ofFiles.add(this.state.version)
    for (const file of edit.files) {
      const bytes = fileBytes(file)
      if (bytes === undefined) throw new CorruptionError(`file ${file.id} was never written`)
      await this.#readFile(bytes, timestamp, changes)
    }
  }

  async #readFile(bytes: Uint8Array, timestamp: number, changes: Change[]): Promise<void> {
    const reader = await SstReader.open(memorySource(bytes), { timestamp })
    const cursor = reader.cursor()
    let status = cursor.first()
    for (;;) {
      if (status === PENDING) status = await cursor.load()
      if (status === END) break
      const { keyBytes, keyStart, keyEnd, valueBytes, valueStart, valueEnd, kind } = cursor
      const id = new DataView(keyBytes.buffer, keyBytes.byteOffset).getUint32(keyStart)
      const table = this.#nameOf(id)
      const key = textOfStored(keysOf(table), keyBytes.subarray(keyStart + ID_BYTES, keyEnd))
      const value = text.decode(valueBytes.subarray(valueStart, valueEnd))
      changes.push({ table, key, value: kind === KIND_DELETE ? undefined : value })
      status = cursor.next()
    }
    await reader.close()
  }

  #nameOf(id: number): string {
    const table = this.state.tables.get(id)
    if (table === undefined) throw new CorruptionError(`a record of table ${id}, which isn't there`)
    return table.name
  }

  #set(table: string, key: string, version: number, value: string | undefined): void {
    const id = this.idOf(table, version)
    // A drop.
    if (id === undefined) return
    const keys = this.#tables.get(id) ?? new Map<string, Version[]>()
    this.#tables.set(id, keys)
    const versions = keys.get(key) ?? []
    keys.set(key, versions)
    // The last record of an entry counts.
    if (versions.at(-1)?.version === version) versions.pop()
    versions.push({ version, value })
  }
}

/** Returns the rows of a range, out of all keys that may exist, in order. */
export function rowsOf(
  keys: readonly string[],
  range: KeyRange,
  valueAt: (key: string) => string | undefined,
): Row[] {
  const { reverse = false, limit = Number.POSITIVE_INFINITY } = range
  const rows: Row[] = []
  for (let i = 0; i < keys.length && rows.length < limit; i++) {
    const key = keys[reverse ? keys.length - 1 - i : i] as string
    if (!isInRange(key, range)) continue
    const value = valueAt(key)
    if (value !== undefined) rows.push([key, value])
  }
  return rows
}

/** The files that an edit adds. */
function filesOf(edit: Edit): readonly FileMeta[] {
  switch (edit.type) {
    case 'add-files':
    case 'flush':
      return edit.files
    case 'compact':
      return edit.added.map(({ file }) => file)
    default:
      return []
  }
}
