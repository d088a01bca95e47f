/**
 * Bounds of keys. `prefix` goes with none of the others, `gt` not with `gte`, `lt` not with `lte`.
 */
export interface Range<K> {
  gt?: K | undefined
  gte?: K | undefined
  lt?: K | undefined
  lte?: K | undefined
  /** Keys that begin so: bytes, characters, or tuple elements, by the table's key encoding. */
  prefix?: Prefix<K> | undefined
}

/** A key's beginning: of a tuple, its first elements. */
export type Prefix<K> = K extends readonly unknown[] ? Partial<K> : K

/**
 * A moment: a wall-clock time, a version, or a timestamp in microseconds since the epoch. A
 * `Commit` or a `Snapshot`, which has version and timestamp, is the moment of that version.
 */
export type Moment = Date | { version: number } | { timestamp: number }

export interface ReadOptions {
  /** Read as of this moment instead of the present. */
  at?: Moment | undefined
  /** Read the log up to its end first, so that every commit made before the call is seen. */
  fresh?: boolean | undefined
  /**
   * Whether each array that is returned gets a buffer of its own, of its length: see the README,
   * "What is returned". Default false.
   */
  copy?: boolean | undefined
  signal?: AbortSignal | undefined
}

export interface ScanOptions<K> extends Range<K>, ReadOptions {
  /** Descending keys. Default false. */
  reverse?: boolean | undefined
  /** At most this many rows. Default: all. */
  limit?: number | undefined
}
