/**
 * Rows in key order. Reading starts when the first row is requested. All rows are then of one
 * moment, whatever is written meanwhile. Leaving the loop early releases the scan's resources.
 */
export interface Rows<Row> extends AsyncIterable<Row> {
  /**
   * Returns rows in arrays of up to 1,000 (`tuning.pageRows`), or about a MiB: the fastest way
   * through many rows.
   */
  pages(): AsyncIterable<Row[]>
  /** Returns all rows in one array. */
  toArray(): Promise<Row[]>
}

export interface Scan<K, V> extends Rows<[K, V]> {
  /** Returns only the keys of this scan. */
  keys(): Rows<K>
  /** Returns only the values of this scan. */
  values(): Rows<V>
}
