import type { Table } from './table.js'
import type { Commit, WriteOptions } from './write-options.js'

/**
 * Writes that become visible and durable together, in any number of tables. Later writes of a key
 * win over earlier ones. Keys and values are copied as they are added. A batch is written once.
 */
export interface Batch {
  /** How many writes were added. */
  readonly size: number
  put<K, V>(table: Table<K, V>, key: K, value: V): this
  delete<K, V>(table: Table<K, V>, key: K): this
  /** Forgets all that was added. */
  clear(): this
  /**
   * Keeps the memory of a large batch within bounds: await it now and then, every thousand writes
   * say.
   *
   * A batch that has grown past `memtableBytes` (32 MiB unless `open` is told otherwise) begins to
   * be written to files, which nobody sees before `write`. Where more than one such part is on its
   * way to the store, `drain` resolves when all but the last one have arrived, else at once. So
   * about three times `memtableBytes` are in memory, whatever the batch's size. Without `drain` the
   * same is written, but what isn't in the store yet waits in memory.
   *
   * Rejects where a part couldn't be written; then `write` does, too. Tables that don't exist are
   * made before the first part, and stay if the batch fails.
   */
  drain(): Promise<void>
  /**
   * Commits. An empty batch commits nothing and resolves with the newest version. Where it rejects
   * nothing was committed, except with the code `FIRN_COMMIT_UNKNOWN`, or the signal's reason,
   * where the entry may be on its way, or the batch shares a file with others that go on.
   */
  write(options?: WriteOptions): Promise<Commit>
}
