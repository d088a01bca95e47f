/**
 * Bounds of keys. Don't combine `prefix` with other bounds, `gt` with `gte`, or `lt` with `lte`.
 */
export interface Range<K> {
  gt?: K | undefined
  gte?: K | undefined
  lt?: K | undefined
  lte?: K | undefined
  /**
   * Keys that begin with this: bytes, characters or tuple elements, depending on the key encoding.
   */
  prefix?: Prefix<K> | undefined
}

/** The beginning of a key; for a tuple, its first elements. */
export type Prefix<K> = K extends readonly unknown[] ? Partial<K> : K

/**
 * A moment: a wall-clock time, a version, or a timestamp in microseconds since the epoch. A
 * `Commit` or a `Snapshot` has both version and timestamp, and means its version.
 */
export type Moment = Date | { version: number } | { timestamp: number }

export interface ReadOptions {
  /** Read as of this moment instead of the present. */
  at?: Moment | undefined
  /** Read the log up to its end first, to see every commit made before the call. */
  fresh?: boolean | undefined
  /**
   * Whether each returned array gets a buffer of its own, of the array's length: see "What you pass
   * in, and what is returned" in the README. Default false.
   */
  copy?: boolean | undefined
  signal?: AbortSignal | undefined
}

export interface ScanOptions<K> extends Range<K>, ReadOptions {
  /** Whether rows come in descending key order. Default false. */
  reverse?: boolean | undefined
  /** At most this many rows. Default: all. */
  limit?: number | undefined
}
