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

/**
 * An open database. Close it when you are done: `close` makes buffered writes durable and releases
 * locks.
 */
export interface Database extends AsyncDisposable {
  /** The newest version this process has seen. */
  readonly version: number
  /**
   * Returns a handle to a table, which need not exist yet. Options left out are taken from the
   * existing table. Throws `TableOptionsError` if an option contradicts the table's.
   */
  table<const O extends TypingOptions>(name: string, options: O): Table<KeyOf<O>, ValueOf<O>>
  table<K = Uint8Array, V = Uint8Array>(name: string, options?: TableOptions<K, V>): Table<K, V>
  /** Lists all tables, in the order of their names. */
  tables(): Promise<TableInfo[]>
  /** Removes a table with all its records and history. A new table may take its name. */
  dropTable(name: string): Promise<Commit>
  batch(): Batch
  /**
   * Runs a function on a snapshot and commits its writes together, if nothing it has read has
   * changed since. Otherwise runs it again on a newer snapshot, after a random pause that grows.
   * The function may therefore run several times: it should have no side effects that must happen
   * only once. Resolves with the function's result when the commit is durable. A function that
   * writes nothing commits nothing, and makes no request except for its reads.
   *
   * From the sixth attempt on, this process makes no other write while the transaction runs, for at
   * most 5 s. Another process that writes to what the function reads may still win every time: see
   * "Transactions" in the README for what to do then.
   *
   * Tables that don't exist are created before the commit, and stay if it fails. An error that the
   * function throws ends the transaction without a commit. Throws `TransactionConflictError` if
   * other writes won every time, and `CommitUnknownError` if it isn't known whether the commit was
   * made.
   */
  transaction<T>(
    run: (transaction: Transaction) => Promise<T> | T,
    options?: TransactionOptions,
  ): Promise<T>
  /**
   * Returns the database as of a moment; default: now. Throws `VersionNotFoundError` for a version
   * that doesn't exist yet. Reads of a moment older than a table's history throw
   * `SnapshotExpiredError`.
   */
  snapshot(options?: {
    at?: Moment | undefined
    signal?: AbortSignal | undefined
  }): Promise<Snapshot>
  /** Reads the log up to its end, and returns the newest version. */
  refresh(): Promise<number>
  /** Resolves when every buffered write is durable. */
  flush(): Promise<void>
  /**
   * Flushes memtables and compacts until nothing is left to do. The report counts all compactions
   * that ended during the call, including those that were already running. A damaged file is left
   * in place and listed in `skipped`; its sound parts stay readable.
   */
  compact(): Promise<CompactionReport>
  /**
   * Drops cached blocks from memory and disk: later reads ask the store again. Indexes and filters
   * of open files stay, and so does everything that running reads need. With `disk`, everything in
   * the directory of `cache.disk` is removed, including what other databases keep there.
   */
  evict(options?: EvictOptions): Promise<void>
  stats(): Promise<DatabaseStats>
  /**
   * Runs `work` and reports the requests made meanwhile and their cost. They include whatever else
   * this database did at that time.
   */
  explain<T>(work: () => T | Promise<T>): Promise<Explanation<T>>
  /**
   * Makes buffered writes durable, stops background work and releases all resources. Running calls
   * end, or fail with `ClosedError`. Idempotent. If a service doesn't answer, a running commit is
   * given up after 30 seconds, with `CommitUnknownError`.
   */
  close(): Promise<void>
}

/** Which caches `evict` empties. Default: both. */
export interface EvictOptions {
  memory?: boolean | undefined
  disk?: boolean | undefined
}

/** The result of `compact`. */
export interface CompactionReport {
  /** Number of merges, moves and drops of files. */
  compactions: number
  /** Files that were replaced, and the files that replaced them. */
  filesIn: number
  filesOut: number
  bytesRead: number
  bytesWritten: number
  /**
   * Damaged files that were left in place. A file that couldn't be read is tried again after a
   * minute. `firn verify` lists all damage.
   */
  skipped: SkippedFile[]
}

/** A file that a compaction couldn't read. */
export interface SkippedFile {
  /** The file's id: the object is `sst/<incarnation>/<id>.sst`. */
  file: string
  level: number
  /** Tables whose records the file may hold. */
  tables: string[]
  /** The reason why the file was skipped. */
  reason: string
}
