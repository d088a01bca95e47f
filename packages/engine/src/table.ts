import type { Range, ReadOptions, ScanOptions } from './range.js'
import type { Rows, Scan } from './scan.js'
import type { Commit, WriteOptions } from './write-options.js'

/** The read methods of a table, at the present or at the moment of a snapshot. */
export interface ReadableTable<K, V> {
  readonly name: string
  /**
   * Returns the value of a key, or `undefined` if the key is absent. The caller owns the result.
   */
  get(key: K, options?: ReadOptions): Promise<V | undefined>
  /**
   * Returns the values of many keys, in the order of the keys. Reads that need I/O run in parallel.
   */
  getMany(keys: readonly K[], options?: ReadOptions): Promise<(V | undefined)[]>
  has(key: K, options?: ReadOptions): Promise<boolean>
  /** Returns rows in key order. Without bounds: all rows. */
  scan(options?: ScanOptions<K>): Scan<K, V>
  keys(options?: ScanOptions<K>): Rows<K>
  values(options?: ScanOptions<K>): Rows<V>
  /** Counts the keys of a range; with `limit`, at most that many. Reads all that it counts. */
  count(range?: ScanOptions<K>): Promise<number>
  /**
   * Loads the blocks of a range into the caches, in memory and on disk, within their budgets. Makes
   * several reads of up to a MiB at a time, and skips blocks that are already in memory. Later
   * reads of the range are fast.
   *
   * Costs less than a scan, because it reads blocks instead of rows. Blocks at the ends of the
   * range may hold rows outside it.
   */
  warm(range?: Range<K>, options?: { signal?: AbortSignal | undefined }): Promise<WarmReport>
}

/** The result of `warm`: what it loaded into memory. */
export interface WarmReport {
  blocks: number
  /** Size of the blocks as stored. */
  bytes: number
  /** Records in the blocks, including all versions and deletes. */
  records: number
}

/** A separate keyspace. The first write creates it. */
export interface Table<K = Uint8Array, V = Uint8Array> extends ReadableTable<K, V> {
  /**
   * Returns the value of a key without a promise. Throws `NotResidentError` if it would have to
   * wait for I/O. Sees the commits that this process has seen.
   */
  getSync(key: K): V | undefined
  put(key: K, value: V, options?: WriteOptions): Promise<Commit>
  /** Deletes a key. An absent key is no error. */
  delete(key: K, options?: WriteOptions): Promise<Commit>
  /** This table with keys and values as stored, without encodings. */
  readonly bytes: Table<Uint8Array, Uint8Array>
}
