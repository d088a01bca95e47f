/**
 * Rows in key order. Nothing is read before the first row is asked for; then all rows are those of
 * one moment, whatever is written meanwhile. Leaving the loop early releases what the scan holds.
 */
export interface Rows<Row> extends AsyncIterable<Row> {
  /**
   * Rows in arrays of up to 1,000 (`tuning.pageRows`), or about a MiB: the quickest way through
   * many rows.
   */
  pages(): AsyncIterable<Row[]>
  /** All rows in one array. */
  toArray(): Promise<Row[]>
}

export interface Scan<K, V> extends Rows<[K, V]> {
  /** The same scan's keys only. */
  keys(): Rows<K>
  /** The same scan's values only. */
  values(): Rows<V>
}
