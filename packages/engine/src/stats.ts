import type { BlockCacheStats } from '@firn/block-cache'
import type { DiskCacheStats } from '@firn/block-cache/disk'
import type { SkippedFile } from './database.js'
import type { RequestStats } from './request-stats.js'
import type { TableInfo } from './table-info.js'

/** The state of an open database, for people and for dashboards. Sizes in bytes. */
export interface DatabaseStats {
  version: number
  /** Microseconds since the epoch. */
  timestamp: number
  tables: TableInfo[]
  /** Level 0 first. */
  levels: LevelStats[]
  memtables: { count: number; bytes: number; records: number }
  /** Records up to this version are in files. */
  flushedThrough: number
  /** `disk` where there is one: its hits are those that memory missed, in chunks of 64 KiB. */
  cache: BlockCacheStats & {
    readerBytes: number
    openFiles: number
    disk?: DiskCacheStats | undefined
  }
  log: { appendedEntries: number; appendedBytes: number }
  flushes: { count: number; bytesWritten: number }
  /** What this handle has compacted since it was opened: merges, moves and drops of files. */
  compactions: {
    count: number
    /** Files that compactions took, and files that are in their place. */
    filesIn: number
    filesOut: number
    running: boolean
    bytesRead: number
    bytesWritten: number
    failures: number
    /** Files that couldn't be read lately. They are tried again after a minute. */
    skipped: SkippedFile[]
  }
  /** Merges of files that one large batch had written, before its commit: no compactions. */
  commitMerges: {
    count: number
    filesIn: number
    filesOut: number
    bytesRead: number
    bytesWritten: number
  }
  /**
   * What this database asked of its object store, and of a log that is a service, since it was
   * opened, by kind; without what its threads did.
   */
  requests: RequestStats
  writes: {
    /** Commits that were delayed, and how often writers had to stop. */
    slowdowns: number
    stops: number
    /**
     * Present while writes are stopped: what has to be done first, and how many writers wait for
     * it.
     */
    stopped?: { by: 'compaction' | 'flush' | 'log'; waiting: number } | undefined
  }
  amplification: {
    /** Bytes written to files since open for each byte written to the log. */
    write: number
    /** Files and memtables that a point read may have to look into. */
    read: number
    /** Bytes of all files for each byte of the last level, by table. */
    space: number
  }
}

export interface LevelStats {
  level: number
  files: number
  bytes: number
  records: number
  deletes: number
}
