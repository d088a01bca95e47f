import type { HistoryRetention } from '@firn/mvcc'

/**
 * A table as `db.tables()` lists it. Every version of a key counts as a record, and so does a
 * delete.
 */
export interface TableInfo {
  name: string
  /** Names of the encodings: `bytes`, `utf8`, `json`, `tuple`, or that of your own. */
  keys: string
  values: string
  history: HistoryRetention
  compression: string
  compaction: string
  /** Files of any level that hold records of this table. */
  files: number
  /** Bytes of those files. */
  bytes: number
  /** Records in those files and in memtables. */
  records: number
  /**
   * Whether `files`, `bytes` and `records` are this table's alone. Otherwise they are upper bounds:
   * a file of level 0 that several tables share counts for each of them, until compaction parts
   * them.
   */
  exact: boolean
  /** The part in memtables, which only the log has so far. Bytes are those of memory. */
  memtables: { records: number; bytes: number }
}
