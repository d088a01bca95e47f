import type { BlockCacheStats } from '@firn/block-cache'
import type { DiskCacheStats } from '@firn/block-cache/disk'
import type { SkippedFile } from './database.js'
import type { RequestStats } from './request-stats.js'
import type { TableInfo } from './table-info.js'

/** The state of an open database, for people and dashboards. Sizes are in bytes. */
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
  /**
   * Block cache. `disk` is present if a disk cache is: its hits are reads that missed memory, in
   * chunks of 64 KiB.
   */
  cache: BlockCacheStats & {
    readerBytes: number
    openFiles: number
    disk?: DiskCacheStats | undefined
  }
  log: { appendedEntries: number; appendedBytes: number }
  flushes: { count: number; bytesWritten: number }
  /** Compactions by this handle since it was opened: merges, moves and drops of files. */
  compactions: {
    count: number
    /** Files that were replaced, and the files that replaced them. */
    filesIn: number
    filesOut: number
    running: boolean
    bytesRead: number
    bytesWritten: number
    failures: number
    /** Files that recently couldn't be read. They are tried again after a minute. */
    skipped: SkippedFile[]
  }
  /**
   * Merges of files that one large batch had written, before its commit. They don't count as
   * compactions.
   */
  commitMerges: {
    count: number
    filesIn: number
    filesOut: number
    bytesRead: number
    bytesWritten: number
  }
  /**
   * Requests to the object store, and to a log that is a separate service, since the database was
   * opened, by kind. Requests of its worker threads are not included.
   */
  requests: RequestStats
  writes: {
    /** Number of delayed commits, and how often writers had to stop. */
    slowdowns: number
    stops: number
    /**
     * Present while writes are stopped: the work that they wait for, and the number of waiting
     * writers.
     */
    stopped?: { by: 'compaction' | 'flush' | 'log'; waiting: number } | undefined
  }
  amplification: {
    /** Bytes written to files since open, per byte written to the log. */
    write: number
    /** The most files and memtables that a point read may look into. */
    read: number
    /** Bytes of all files, per byte of the last level, by table. */
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
