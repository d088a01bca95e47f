import type { Range, ReadOptions, ScanOptions } from './range.js'
import type { Rows, Scan } from './scan.js'
import type { Commit, WriteOptions } from './write-options.js'

/** The reading half of a table: at the present, or at the moment of a snapshot. */
export interface ReadableTable<K, V> {
  readonly name: string
  /** The value of a key; `undefined` where there is none. The caller owns what is returned. */
  get(key: K, options?: ReadOptions): Promise<V | undefined>
  /** The values of many keys, in their order. Reads that need I/O run side by side. */
  getMany(keys: readonly K[], options?: ReadOptions): Promise<(V | undefined)[]>
  has(key: K, options?: ReadOptions): Promise<boolean>
  /** Rows in key order. Without bounds: all of them. */
  scan(options?: ScanOptions<K>): Scan<K, V>
  keys(options?: ScanOptions<K>): Rows<K>
  values(options?: ScanOptions<K>): Rows<V>
  /** How many keys a range holds; with `limit`, at most so many. Reads all of them. */
  count(range?: ScanOptions<K>): Promise<number>
  /**
   * Brings what a range is read from into the caches, in memory and on disk, as far as their
   * budgets go: by reads of up to a MiB, several at a time. Reads of the range are quick from then
   * on. What is in memory already isn't read again.
   *
   * Blocks are read and not rows, so it costs less than a scan; those at the ends of the range may
   * hold rows outside of it.
   */
  warm(range?: Range<K>, options?: { signal?: AbortSignal | undefined }): Promise<WarmReport>
}

/** What `warm` brought into memory. */
export interface WarmReport {
  blocks: number
  /** Bytes of the blocks, as they are stored. */
  bytes: number
  /** Records in them, all versions and deletes included. */
  records: number
}

/** A keyspace of its own. It comes into being at its first write. */
export interface Table<K = Uint8Array, V = Uint8Array> extends ReadableTable<K, V> {
  /**
   * As `get`, without a promise. Throws `NotResidentError` where it would have to wait for I/O.
   * Sees what this process has seen.
   */
  getSync(key: K): V | undefined
  put(key: K, value: V, options?: WriteOptions): Promise<Commit>
  /** Deletes a key; one that isn't there is no error. */
  delete(key: K, options?: WriteOptions): Promise<Commit>
  /** The same table with keys and values as stored, past its encodings. */
  readonly bytes: Table<Uint8Array, Uint8Array>
}
