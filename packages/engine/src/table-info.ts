import type { HistoryRetention } from '@firn/mvcc'

/**
 * A table as `db.tables()` lists it. Every version of a key and every delete counts as a record.
 */
export interface TableInfo {
  name: string
  /** Names of the encodings: `bytes`, `utf8`, `json`, `tuple`, or the name of the user's own. */
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
   * Whether `files`, `bytes` and `records` count this table alone. If false, they are upper bounds:
   * a level-0 file that several tables share counts for each of them until a compaction splits it.
   */
  exact: boolean
  /** The part that is in memtables, and otherwise only in the log. `bytes` counts memory. */
  memtables: { records: number; bytes: number }
}
