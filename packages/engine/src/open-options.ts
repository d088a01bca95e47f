import type { CommitLog, Leases } from '@firn/commit-log'
import type { Env } from '@firn/env'
import type { ObjectStore } from '@firn/object-store'
import type { FileSystem } from '@firn/vfs'
import type { Prices } from './prices.js'

export interface OpenOptions {
  /**
   * `'read'` never writes, takes no lock and can't be locked out; it sees what writers commit when
   * it refreshes. Default `'write'`.
   */
  mode?: 'write' | 'read' | undefined
  /** Whether to create a database where there is none. Default true in write mode. */
  createIfMissing?: boolean | undefined
  cache?:
    | {
        /** For blocks, indexes and filters together. Default 256 MiB. */
        memoryBytes?: number | undefined
        /**
         * Keeps what is read of a remote store in a local directory, across restarts. Needs Node.js.
         * The directory is for this cache alone: two databases in one would let go of each other's
         * pieces. A full, damaged or missing disk costs requests, never an answer.
         */
        disk?:
          | {
              /** Made when it isn't there. */
              directory: string
              /** What its files may add up to. */
              bytes: number
            }
          | undefined
      }
    | undefined
  /**
   * Size at which a memtable is flushed. Up to four are in memory at a time. Default 32 MiB; over
   * `s3:` 1 MiB, with `?log=objects` 4, as opening reads from the log what isn't in files. A batch
   * larger than this (there: than 32 MiB) is written to files in parts; see `Batch.drain`.
   */
  memtableBytes?: number | undefined
  /**
   * On a log that others write to: reads look for their commits when the last look is older than
   * this. Default 1,000.
   */
  maxStalenessMs?: number | undefined
  /**
   * How long a buffered write may stay unsynced, in milliseconds: how much a crash of the machine
   * takes. The log is synced in the background, once for all that was written meanwhile, and only
   * when there is something to sync. 0 syncs again and again; `Infinity` leaves it to durable
   * commits, `flush()` and `close()`. A sync that fails stops all writes, as that of a durable
   * commit does. For `file:` logs; others ignore it. Default 1,000.
   */
  flushIntervalMs?: number | undefined
  /**
   * Where this process compacts: in a worker thread (default; inline if none can be started, or if
   * the store lives in this process's memory), on this thread, or not at all. With `'off'`, writes
   * wait once level 0 is full, until `db.compact()` or another process compacts.
   */
  compaction?: 'worker' | 'inline' | 'off' | undefined
  /** Told about work in the background and its failures. Default: nobody is. */
  logger?: Logger | undefined
  /** The clocks and random numbers to use. Default: the system's. */
  env?: Env | undefined
  /** What requests cost, for `stats` and `explain`. Default: AWS's list prices in us-east-1. */
  prices?: Prices | undefined
  /** Gives up opening. */
  signal?: AbortSignal | undefined
  /** Shape of the tree; small values are for tests. */
  tuning?: Tuning | undefined
}

/** Sizes and limits of the tree. The defaults fit databases from kilobytes to terabytes. */
export interface Tuning {
  /** Uncompressed size of an SST block. Default: the SST package's. */
  blockBytes?: number | undefined
  /** Size of the files that compaction writes. Default 32 MiB. */
  targetFileBytes?: number | undefined
  /** Size of level 1; each level is ten times as large as the one above. Default 128 MiB. */
  levelBaseBytes?: number | undefined
  /** Files of level 0 from which on they are compacted. Default 4; at most the two that follow. */
  level0Trigger?: number | undefined
  /**
   * Runs of level 0, such as the files of one commit, from which on commits are delayed. Default
   * 20.
   */
  level0Slowdown?: number | undefined
  /** Runs of level 0 from which on writes wait. Default 36. */
  level0Stop?: number | undefined
  /** Batches larger than this are written as whole SSTs. Default: the log's inline limit. */
  inlineLimitBytes?: number | undefined
  /**
   * How long work that awaits no I/O, such as a loop over rows in memory, goes on before I/O,
   * timers and aborts have a turn of the event loop, in milliseconds. Default 8.
   */
  sliceMs?: number | undefined
  /** Rows that a scan reads at once, at most: those of a page. Up to 10,000; default 1,000. */
  pageRows?: number | undefined
}

/** A database of ready-made parts. */
export interface DatabaseParts extends OpenOptions {
  store: ObjectStore
  /** The log, or how to make it once the database's incarnation is known. */
  log: CommitLog | ((incarnation: string) => CommitLog | Promise<CommitLog>)
  /**
   * Where the processes of a shared log agree on who of them flushes and compacts. Without, all do,
   * and all but one in vain.
   */
  leases?: Leases | ((incarnation: string) => Leases) | undefined
  /** The system calls for `cache.disk`. Default: Node's. */
  cacheFiles?: FileSystem | undefined
}

/** Never given keys, values or credentials. */
export interface Logger {
  debug?(message: string, details?: Readonly<Record<string, unknown>>): void
  warn(message: string, details?: Readonly<Record<string, unknown>>): void
}
