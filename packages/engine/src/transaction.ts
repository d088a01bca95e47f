import type { ReadableTable } from './table.js'
import type { KeyOf, TableOptions, TypingOptions, ValueOf } from './table-options.js'
import type { Commit } from './write-options.js'

/**
 * The database as of one version, and writes that stay invisible to others until the transaction
 * commits. Usable until the function it was passed to ends.
 */
export interface Transaction {
  /** The version that the transaction reads. */
  readonly version: number
  /** Microseconds since the epoch. */
  readonly timestamp: number
  /**
   * Version and timestamp of the transaction's writes in the log; set when they are committed,
   * after the function has ended.
   */
  readonly committed: Commit | undefined
  table<const O extends TypingOptions>(
    name: string,
    options: O,
  ): TransactionTable<KeyOf<O>, ValueOf<O>>
  table<K = Uint8Array, V = Uint8Array>(
    name: string,
    options?: TableOptions<K, V>,
  ): TransactionTable<K, V>
}

/**
 * A table in a transaction. Reads see the transaction's snapshot with its own writes on top. Reads
 * with `at` see that moment alone; `fresh` has no effect. A scan doesn't see writes made after it
 * began.
 */
export interface TransactionTable<K, V> extends ReadableTable<K, V> {
  /** Resolves at once: the write goes to the log when the transaction commits. */
  put(key: K, value: V): Promise<void>
  /** Deletes a key. An absent key is no error. */
  delete(key: K): Promise<void>
}

export interface TransactionOptions {
  /**
   * Which commits since the transaction began are conflicts. `serializable` (default): any that
   * change a key or a range that it has read, found or absent, so that transactions have the effect
   * of running one after the other. `snapshot`: any that change a key that it writes; two
   * transactions that each read what the other writes may both commit (write skew).
   */
  isolation?: 'serializable' | 'snapshot' | undefined
  /**
   * The most attempts, if other writes keep conflicting. Default 20. From the sixth attempt on,
   * other writes of this process wait until the transaction has ended, for at most 5 s. Writes of
   * other processes go on: if they often change what a transaction reads, let it read less, or use
   * `snapshot` isolation.
   */
  attempts?: number | undefined
  /** Stops further attempts. A commit that is under way may still happen. */
  signal?: AbortSignal | undefined
}
