import type { HistoryRetention } from '@firn/mvcc'

/** One SST as the manifest knows it. Keys in the file are `u32 big-endian table id ‖ user key`. */
export interface FileMeta {
  /** `<base version>-<ulid>`; the object's key is `sst/<incarnation>/<id>.sst`. Never reused. */
  id: string
  /** Size of the object. */
  bytes: number
  /** 0 for files that came from a commit or a flush; 1 … 6 for the levels of one table. */
  level: number
  /** Smallest and largest key, table prefix included. */
  smallest: Uint8Array
  largest: Uint8Array
  /** Range of record timestamps. In a file whose records carry none, both are the entry's. */
  minTimestamp: number
  maxTimestamp: number
  /** True where records carry no timestamp and `minTimestamp` is that of every record. */
  commitFile: boolean
  records: number
  /** How many of them are deletes. */
  deletes: number
  rawKeyBytes: number
  rawValueBytes: number
  /**
   * How many bytes at the object's end hold all that opening the file needs: one read gets them.
   */
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
  /** Version of the entry that created it. */
  createdAt: number
  /** Versions superseded at or before this timestamp may be gone: reads before it are refused. */
  historyFloor: number
  /** `levels[0]` is L1. Files of a level are in key order and don't overlap. */
  levels: readonly (readonly FileMeta[])[]
}

/** The fold over the log up to `version`. Immutable: every entry makes a new one. */
export interface DatabaseState {
  version: number
  timestamp: number
  incarnation: string
  tables: ReadonlyMap<number, TableState>
  tableIds: ReadonlyMap<string, number>
  nextTableId: number
  /** Files of level 0, newest first (greatest `maxTimestamp` first). They may hold many tables. */
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
  /** Microseconds since the epoch after which the pin may be ignored; absent: never. */
  expiresAt?: number
}

/** One change of a commit. */
export type Edit =
  /** First edit of entry 1. */
  | { type: 'create-database'; incarnation: string }
  /** Encoded by `RecordsWriter`, read by `readRecords`. */
  | { type: 'records'; bytes: Uint8Array }
  | { type: 'create-table'; id: number; name: string; options: TableOptionsState }
  | { type: 'alter-table'; id: number; options: TableOptionsState }
  | { type: 'drop-table'; id: number }
  /** Files of a commit: whole SSTs; their timestamp is the entry's. */
  | { type: 'add-files'; files: readonly FileMeta[] }
  /**
   * The tail's inline records up to `through` are now in `files` (level 0). Applies only while
   * `flushedThrough` is still `from`.
   */
  | { type: 'flush'; from: number; through: number; files: readonly FileMeta[] }
  /**
   * `added` take the place of `removed` (ids). Applies only while all removed files are live.
   * `floors` raises tables' `historyFloor`.
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
