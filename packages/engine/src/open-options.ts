import type { CommitLog, Leases } from '@firn/commit-log'
import type { Env } from '@firn/env'
import type { ObjectStore } from '@firn/object-store'
import type { FileSystem } from '@firn/vfs'
import type { Prices } from './prices.js'

export interface OpenOptions {
  /**
   * `'read'` never writes and takes no lock, so no writer can lock it out; it sees new commits when
   * it refreshes. Default `'write'`.
   */
  mode?: 'write' | 'read' | undefined
  /** Whether to create the database if none exists. Default true in write mode. */
  createIfMissing?: boolean | undefined
  cache?:
    | {
        /** Budget for blocks, indexes and filters together. Default 256 MiB. */
        memoryBytes?: number | undefined
        /**
         * Keeps data read from a remote store in a local directory, across restarts. Needs Node.js.
         * The directory must serve this cache alone: two databases that share one delete each
         * other's pieces. A full, damaged or missing disk costs requests, never a wrong answer.
         */
        disk?:
          | {
              /** Created if it doesn't exist. */
              directory: string
              /** The most that all its files together may take. */
              bytes: number
            }
          | undefined
      }
    | undefined
  /**
   * Size at which a memtable is flushed. Up to four are in memory at a time. Default 32 MiB; over
   * `s3:` 1 MiB, or 4 MiB with `?log=objects`, because opening reads from the log what isn't in
   * files yet. A batch larger than this (over `s3:` by default, than 32 MiB) is written to files in
   * parts; see `Batch.drain`.
   */
  memtableBytes?: number | undefined
  /**
   * The longest time between looks for other processes' commits, on a log that they write to: a
   * read looks again if the last look is older. Default 1,000.
   */
  maxStalenessMs?: number | undefined
  /**
   * How long a buffered write may stay unsynced, in milliseconds: the time span of writes that a
   * crash of the machine can take. The log is synced in the background, once for all writes made
   * meanwhile, and only when there is something to sync. 0 syncs again and again; `Infinity` leaves
   * it to durable commits, `flush()` and `close()`. A failed sync stops all writes, as a failed
   * durable commit does. Applies to `file:` logs; others ignore it. Default 1,000.
   */
  flushIntervalMs?: number | undefined
  /**
   * Where this process compacts: in a worker thread (default; inline if none can be started, or if
   * the store lives in this process's memory), in the calling thread (`'inline'`), or not at all.
   * With `'off'`, writes wait once level 0 is full, until `db.compact()` or another process
   * compacts.
   */
  compaction?: 'worker' | 'inline' | 'off' | undefined
  /** Receives messages about background work and its failures. Default: none. */
  logger?: Logger | undefined
  /** The clocks and random numbers to use. Default: the system's. */
  env?: Env | undefined
  /** Prices of requests, for `stats` and `explain`. Default: AWS's list prices in us-east-1. */
  prices?: Prices | undefined
  /** Aborts opening. */
  signal?: AbortSignal | undefined
  /** Shape of the tree. Small values are for tests. */
  tuning?: Tuning | undefined
}

/** Sizes and limits of the tree. The defaults fit databases from kilobytes to terabytes. */
export interface Tuning {
  /** Uncompressed size of an SST block. Default: the SST package's. */
  blockBytes?: number | undefined
  /** Size of the files that compaction writes. Default 32 MiB. */
  targetFileBytes?: number | undefined
  /** Size of level 1. Each further level is ten times as large. Default 128 MiB. */
  levelBaseBytes?: number | undefined
  /** Number of level-0 files that starts a compaction. Default 4; at most the two limits below. */
  level0Trigger?: number | undefined
  /**
   * Number of level-0 runs, such as the files of one commit, from which commits are delayed.
   * Default 20.
   */
  level0Slowdown?: number | undefined
  /** Number of level-0 runs from which writes wait. Default 36. */
  level0Stop?: number | undefined
  /** Batches larger than this are written as whole SSTs. Default: the log's inline limit. */
  inlineLimitBytes?: number | undefined
  /**
   * How long work without I/O, such as a loop over rows in memory, runs before I/O, timers and
   * aborts get a turn of the event loop, in milliseconds. Default 8.
   */
  sliceMs?: number | undefined
  /**
   * The most rows that a scan reads at once, and that a page holds. Up to 10,000; default 1,000.
   */
  pageRows?: number | undefined
}

/** The parts of a database that the caller made. */
export interface DatabaseParts extends OpenOptions {
  store: ObjectStore
  /** The log, or a function that makes it once the database's incarnation is known. */
  log: CommitLog | ((incarnation: string) => CommitLog | Promise<CommitLog>)
  /**
   * Leases by which the processes of a shared log agree on one that flushes and compacts. Without
   * them, all do, and only one's work is kept.
   */
  leases?: Leases | ((incarnation: string) => Leases) | undefined
  /** The system calls for `cache.disk`. Default: Node's. */
  cacheFiles?: FileSystem | undefined
}

/** Receives messages. They never contain keys, values or credentials. */
export interface Logger {
  debug?(message: string, details?: Readonly<Record<string, unknown>>): void
  warn(message: string, details?: Readonly<Record<string, unknown>>): void
}
