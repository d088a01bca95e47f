/**
 * Sees every record that goes into one file, in order, and leaves a small summary in its
 * properties: smallest and largest of a column, a filter over a field, anything. A collector serves
 * one file.
 */
export interface StatisticsCollector {
  /** `value` is undefined for a delete. Both arrays are valid only during the call. */
  add(key: Uint8Array, value: Uint8Array | undefined): void
  /** The summary, called once after the last record. */
  finish(): Uint8Array
}
