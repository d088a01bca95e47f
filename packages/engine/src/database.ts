import type { Batch } from './batch.js'
import type { Moment } from './range.js'
import type { Explanation } from './request-stats.js'
import type { Snapshot } from './snapshot.js'
import type { DatabaseStats } from './stats.js'
import type { Table } from './table.js'
import type { TableInfo } from './table-info.js'
import type { KeyOf, TableOptions, TypingOptions, ValueOf } from './table-options.js'
import type { Transaction, TransactionOptions } from './transaction.js'
import type { Commit } from './write-options.js'

/** An open database. Close it: buffered writes become durable then, and locks are let go. */
export interface Database extends AsyncDisposable {
  /** The newest version this process has seen. */
  readonly version: number
  /**
   * A handle of a table, which need not exist yet. Throws `TableOptionsError` where options that
   * are given contradict those it was created with; options left out are taken from it.
   */
  table<const O extends TypingOptions>(name: string, options: O): Table<KeyOf<O>, ValueOf<O>>
  table<K = Uint8Array, V = Uint8Array>(name: string, options?: TableOptions<K, V>): Table<K, V>
  /** The tables there are, by name. */
  tables(): Promise<TableInfo[]>
  /** Removes a table with all its records and history. A table of that name can be made again. */
  dropTable(name: string): Promise<Commit>
  batch(): Batch
  /**
   * Runs a function on a snapshot and commits what it writes as one, if what it has read is still
   * so; else runs it again on a newer snapshot, after a pause of random length that grows. So the
   * function may run several times, and should do nothing that mustn't happen twice. Resolves with
   * what it returns, when the commit is durable. One that writes nothing commits nothing, and makes
   * no request but those of its reads.
   *
   * From the sixth attempt on, the process makes no other write while the transaction runs, for 5 s
   * at most. Another process that writes to what it reads may still be first every time: see
   * "Transactions" in the README for what to do then.
   *
   * Tables that don't exist are made before the commit, and stay if it fails. What the function
   * throws ends the transaction, without a commit. Throws `TransactionConflictError` when others
   * were first every time, and `CommitUnknownError` where it isn't known whether the commit was
   * made.
   */
  transaction<T>(
    run: (transaction: Transaction) => Promise<T> | T,
    options?: TransactionOptions,
  ): Promise<T>
  /**
   * The database as of a moment; default: now. Throws `VersionNotFoundError` for a version to come.
   * Reads of a moment before what a table's history keeps throw `SnapshotExpiredError`.
   */
  snapshot(options?: {
    at?: Moment | undefined
    signal?: AbortSignal | undefined
  }): Promise<Snapshot>
  /** Reads the log up to its end; the new version. */
  refresh(): Promise<number>
  /** Resolves when every buffered write is durable. */
  flush(): Promise<void>
  /**
   * Flushes memtables and compacts until nothing is left to do. The report counts all compactions
   * that ended meanwhile, those that were under way before too. A damaged file is left where it is,
   * and named in `skipped`; what is sound in it stays readable.
   */
  compact(): Promise<CompactionReport>
  /**
   * Forgets cached blocks, in memory and on disk: reads ask the store again. Indexes and filters of
   * open files stay, and so does everything that reads under way need. With `disk`, all that is in
   * the directory of `cache.disk` goes, also what other databases keep there.
   */
  evict(options?: EvictOptions): Promise<void>
  stats(): Promise<DatabaseStats>
  /**
   * Does some work and tells which requests were made meanwhile, and what they cost: those of the
   * work and whatever else this database did at that time.
   */
  explain<T>(work: () => T | Promise<T>): Promise<Explanation<T>>
  /**
   * Makes buffered writes durable, stops work in the background and lets go of everything. Calls
   * under way end, or fail with `ClosedError`. Idempotent. A commit on its way to a service that
   * doesn't answer is given up after 30 seconds, with `CommitUnknownError`.
   */
  close(): Promise<void>
}

/** Which caches `evict` empties. Default: both. */
export interface EvictOptions {
  memory?: boolean | undefined
  disk?: boolean | undefined
}

/** What `compact` did. */
export interface CompactionReport {
  /** Merges, moves and drops of files. */
  compactions: number
  /** Files that they took, and files that are in their place. */
  filesIn: number
  filesOut: number
  bytesRead: number
  bytesWritten: number
  /**
   * Damaged files that were left alone: one that couldn't be read is tried again after a minute.
   * `firn verify` lists all that is damaged.
   */
  skipped: SkippedFile[]
}

/** A file that a compaction couldn't read. */
export interface SkippedFile {
  /** Its id: the object is `sst/<incarnation>/<id>.sst`. */
  file: string
  level: number
  /** The tables that it may hold records of. */
  tables: string[]
  /** What is wrong with it. */
  reason: string
}
