/**
 * Collects statistics of one file: it sees every record, in order, and returns a small summary that
 * is stored in the file's properties. For example the smallest and largest value of a column, or a
 * filter over a field. A collector serves one file only.
 */
export interface StatisticsCollector {
  /** `value` is undefined for a delete. Both arrays are valid only during the call. */
  add(key: Uint8Array, value: Uint8Array | undefined): void
  /** Returns the summary. Called once, after the last record. */
  finish(): Uint8Array
}
