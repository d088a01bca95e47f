import type { ReadableTable } from './table.js'
import type { KeyOf, TableOptions, TypingOptions, ValueOf } from './table-options.js'
import type { Commit } from './write-options.js'

/**
 * The database as of one version, and writes that nobody else sees before the transaction commits.
 * Usable until the function that it was given to ends.
 */
export interface Transaction {
  /** The version that it reads. */
  readonly version: number
  /** Microseconds since the epoch. */
  readonly timestamp: number
  /** Where its writes stand in the log: once they are there, so after its function has ended. */
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
 * A table in a transaction. Reads show what the transaction has written over what there was when it
 * began; reads `at` a moment show that moment alone, and `fresh` changes nothing. A scan that was
 * begun doesn't show what is written after.
 */
export interface TransactionTable<K, V> extends ReadableTable<K, V> {
  /** Resolves at once: what is written goes to the log when the transaction commits. */
  put(key: K, value: V): Promise<void>
  /** Deletes a key; one that isn't there is no error. */
  delete(key: K): Promise<void>
}

export interface TransactionOptions {
  /**
   * What others may have committed since the transaction began. `serializable` (default): nothing
   * that it has read, whether there was something or not, by key or by range: transactions have the
   * effect of running one after the other. `snapshot`: nothing that it writes; two that read what
   * the other writes may both commit (write skew).
   */
  isolation?: 'serializable' | 'snapshot' | undefined
  /**
   * How often it is run at most, if other writes keep contradicting it. Default 20. From the sixth
   * attempt on, other writes of this process wait until it has ended, for 5 s at most. Those of
   * other processes go on: a transaction that reads much of what they write to should read less, or
   * be of `snapshot` isolation.
   */
  attempts?: number | undefined
  /** Ends the attempts. A commit that is under way may still happen. */
  signal?: AbortSignal | undefined
}
