import type { HistoryRetention } from '@firn/mvcc'

/** Description of an SST. Keys in the file are `u32 big-endian table id ‖ user key`. */
export interface FileMeta {
  /** `<base version>-<ulid>`; the object's key is `sst/<incarnation>/<id>.sst`. Never reused. */
  id: string
  /** Size of the object in bytes. */
  bytes: number
  /** 0 for a file of a commit or a flush; 1 … 6 for a level of one table. */
  level: number
  /** Smallest and largest key, table prefix included. */
  smallest: Uint8Array
  largest: Uint8Array
  /** Range of the records' timestamps. If records carry none, both are the entry's timestamp. */
  minTimestamp: number
  maxTimestamp: number
  /** Whether records carry no timestamp: `minTimestamp` is then the timestamp of every record. */
  commitFile: boolean
  records: number
  /** How many of the records are deletes. */
  deletes: number
  rawKeyBytes: number
  rawValueBytes: number
  /** Bytes at the object's end that hold everything needed to open the file, in one read. */
  tailBytes: number
  /** Summaries of the user's statistics collectors, by name. */
  statistics: Readonly<Record<string, Uint8Array>>
}

/** Persisted options of a table. JSON values only. */
export interface TableOptionsState {
  keys: string
  values: string
  history: HistoryRetention
  ttlMs?: number
  mergeOperator?: string
  compaction: string
  compression: 'none' | 'lz4' | 'deflate'
  /** Names of the statistics collectors. */
  statistics: readonly string[]
}

export interface TableState {
  /** Positive u32; never reused in a database. */
  id: number
  name: string
  options: TableOptionsState
  /** Version of the entry that created the table. */
  createdAt: number
  /** Versions superseded at or before this timestamp may be gone: reads before it are refused. */
  historyFloor: number
  /** `levels[0]` is L1. Files of a level are in key order and don't overlap. */
  levels: readonly (readonly FileMeta[])[]
}

/** State of the database after entry `version`. Immutable: every entry makes a new state. */
export interface DatabaseState {
  version: number
  timestamp: number
  incarnation: string
  tables: ReadonlyMap<number, TableState>
  tableIds: ReadonlyMap<string, number>
  nextTableId: number
  /** Files of level 0, greatest `maxTimestamp` first. A file may hold records of many tables. */
  level0: readonly FileMeta[]
  /** Inline records of entries up to this version are in files. */
  flushedThrough: number
  /** Unreferenced files with a base version below this may have been deleted. */
  gcFloor: number
  pins: ReadonlyMap<string, Pin>
  /** The newest checkpoint announced by an entry. */
  checkpoint: { version: number; key: string } | undefined
}

export interface Pin {
  name: string
  version: number
  timestamp: number
  /** When the pin expires, in microseconds since the epoch; absent: never. */
  expiresAt?: number
}

/** One change of a commit. */
export type Edit =
  /** Always the first edit of entry 1. */
  | { type: 'create-database'; incarnation: string }
  /** Written by `RecordsWriter`, read by `readRecords`. */
  | { type: 'records'; bytes: Uint8Array }
  | { type: 'create-table'; id: number; name: string; options: TableOptionsState }
  | { type: 'alter-table'; id: number; options: TableOptionsState }
  | { type: 'drop-table'; id: number }
  /** Files of a commit. Their timestamp is the entry's. */
  | { type: 'add-files'; files: readonly FileMeta[] }
  /**
   * Inline records of the tail, up to version `through`, are now in `files` (level 0). Applies only
   * while `flushedThrough` is `from`.
   */
  | { type: 'flush'; from: number; through: number; files: readonly FileMeta[] }
  /**
   * Replaces the files `removed` (ids) by `added`. Applies only while all removed files are live.
   * `floors` raises the `historyFloor` of tables.
   */
  | {
      type: 'compact'
      removed: readonly string[]
      added: readonly { table: number; file: FileMeta }[]
      floors: readonly { table: number; timestamp: number }[]
    }
  | { type: 'gc-floor'; version: number }
  | { type: 'pin'; pin: Pin }
  | { type: 'unpin'; name: string }
  | { type: 'checkpoint'; version: number; key: string }
