import type { Table } from './table.js'
import type { Commit, WriteOptions } from './write-options.js'

/**
 * Writes to any number of tables that become visible and durable together. The last write of a key
 * wins. Keys and values are copied when they are added. A batch can be written once.
 */
export interface Batch {
  /** The number of writes added. */
  readonly size: number
  put<K, V>(table: Table<K, V>, key: K, value: V): this
  delete<K, V>(table: Table<K, V>, key: K): this
  /** Removes all writes that were added. */
  clear(): this
  /**
   * Bounds the memory of a large batch: await it now and then, for example every thousand writes.
   *
   * A batch that grows past `memtableBytes` (default 32 MiB) starts writing its records to files,
   * which stay invisible until `write`. If more than one part is on its way to the store, `drain`
   * resolves when all but the last have arrived; otherwise at once. Memory then holds about three
   * times `memtableBytes`, whatever the size of the batch. Without `drain` the same parts are
   * written, but those not yet in the store wait in memory.
   *
   * Rejects if a part couldn't be written; `write` then rejects too. Tables that don't exist are
   * created before the first part, and stay if the batch fails.
   */
  drain(): Promise<void>
  /**
   * Commits. An empty batch commits nothing and resolves with the newest version. If `write`
   * rejects, nothing was committed, with two exceptions: the code `FIRN_COMMIT_UNKNOWN`; and the
   * signal's reason, if the entry may be on its way or the batch shares a file with other batches
   * that go on.
   */
  write(options?: WriteOptions): Promise<Commit>
}
