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
  /** Commits. An empty batch commits nothing and resolves with the newest version. */
  write(options?: WriteOptions): Promise<Commit>
}
