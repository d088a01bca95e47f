import type { HistoryRetention } from '@firn/manifest'

/** A table as `db.tables()` lists it. Sizes are those of files; memtables come on top. */
export interface TableInfo {
  name: string
  /** Names of the encodings: `bytes`, `utf8`, `json`, `tuple`, or that of your own. */
  keys: string
  values: string
  history: HistoryRetention
  compression: string
  compaction: string
  /** Bytes of files that hold only this table. */
  bytes: number
  /** Records in those files: versions and deletes count. */
  records: number
  files: number
}
