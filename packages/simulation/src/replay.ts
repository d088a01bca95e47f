import { CorruptionError } from '@firn/env'
import {
  applyEntry,
  type DatabaseState,
  decodeEdits,
  type Edit,
  emptyState,
  type FileMeta,
  type LogEntry,
  liveFiles,
  readRecords,
} from '@firn/manifest'
import { KIND_DELETE } from '@firn/mvcc'
import { END, memorySource, PENDING, SstReader } from '@firn/sst'
import type { Change, Row } from './history.js'
import { isInRange, type KeyRange } from './key-range.js'

/** Bytes of the table's id in front of a key in a file. */
const ID_BYTES = 4

interface Version {
  version: number
  value: string | undefined
}

const text = new TextDecoder()

/** What the log says: every version of every key. The order of its entries is the truth. */
export class Replay {
  /** The newest state; `version` is the log's end. */
  state: DatabaseState = emptyState()
  readonly #timestamps: number[] = [0]
  readonly #changes: (readonly Change[])[] = [[]]
  readonly #tables: Map<string, Map<string, Version[]>> = new Map()
  /** The keys of each table in order. */
  readonly #keys: Map<string, string[]> = new Map()

  /**
   * Replays all entries of a log. `fileBytes` gives the bytes of a file, also where it was deleted since.
   * Throws where entries don't follow each other, or a file isn't what its entry says.
   */
  static async of(
    entries: readonly LogEntry[],
    fileBytes: (file: FileMeta) => Uint8Array | undefined,
  ): Promise<Replay> {
    const replay = new Replay()
    for (const entry of entries) await replay.#apply(entry, fileBytes)
    for (const [table, keys] of replay.#tables) replay.#keys.set(table, [...keys.keys()].sort())
    return replay
  }

  /** Every file that the present needs. */
  liveFiles(): Iterable<FileMeta> {
    return liveFiles(this.state)
  }

  get version(): number {
    return this.state.version
  }

  timestampOf(version: number): number | undefined {
    return this.#timestamps[version]
  }

  /** What an entry changed, in its order. */
  changesOf(version: number): readonly Change[] {
    return this.#changes[version] ?? []
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

  valueAt(table: string, key: string, version: number): string | undefined {
    const versions = this.#tables.get(table)?.get(key) ?? []
    let low = 0
    let high = versions.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((versions[middle] as Version).version <= version) low = middle + 1
      else high = middle
    }
    return versions[low - 1]?.value
  }

  /** What a scan of a range gives. */
  rowsAt(table: string, range: KeyRange, version: number): Row[] {
    const { reverse = false, limit = Number.POSITIVE_INFINITY } = range
    const keys = this.#keys.get(table) ?? []
    const rows: Row[] = []
    for (let i = 0; i < keys.length && rows.length < limit; i++) {
      const key = keys[reverse ? keys.length - 1 - i : i] as string
      if (!isInRange(key, range)) continue
      const value = this.valueAt(table, key, version)
      if (value !== undefined) rows.push([key, value])
    }
    return rows
  }

  async #apply(
    entry: LogEntry,
    fileBytes: (file: FileMeta) => Uint8Array | undefined,
  ): Promise<void> {
    const { payload } = entry
    if (payload === undefined) throw new CorruptionError(`entry ${entry.version} has no payload`)
    const edits = decodeEdits(payload)
    this.state = applyEntry(this.state, entry, edits)
    const changes: Change[] = []
    for (const edit of edits) await this.#changesOf(edit, entry.timestamp, fileBytes, changes)
    this.#timestamps.push(entry.timestamp)
    this.#changes.push(changes)
    for (const { table, key, value } of changes) this.#set(table, key, entry.version, value)
  }

  async #changesOf(
    edit: Edit,
    timestamp: number,
    fileBytes: (file: FileMeta) => Uint8Array | undefined,
    changes: Change[],
  ): Promise<void> {
    if (edit.type === 'records') {
      readRecords(edit.bytes, (id, kind, bytes, keyStart, keyEnd, valueStart, valueEnd) => {
        const key = text.decode(bytes.subarray(keyStart, keyEnd))
        const value = text.decode(bytes.subarray(valueStart, valueEnd))
        changes.push({
          table: this.#nameOf(id),
          key,
          value: kind === KIND_DELETE ? undefined : value,
        })
      })
    }
    if (edit.type !== 'add-files') return
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
      const key = text.decode(keyBytes.subarray(keyStart + ID_BYTES, keyEnd))
      const value = text.decode(valueBytes.subarray(valueStart, valueEnd))
      const table = this.#nameOf(id)
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
    const keys = this.#tables.get(table) ?? new Map<string, Version[]>()
    this.#tables.set(table, keys)
    const versions = keys.get(key) ?? []
    keys.set(key, versions)
    // The last record of an entry counts.
    if (versions.at(-1)?.version === version) versions.pop()
    versions.push({ version, value })
  }
}
