/** Summary of a finished file, for a manifest. A reader of the file reports equal values. */
export interface SstSummary {
  readonly fileId: string
  /** Size of the whole file. */
  readonly bytes: number
  /** Number of records, of all kinds and versions. */
  readonly records: number
  /** How many of the records are deletes. */
  readonly deletes: number
  /** How many of the records are merge operands. */
  readonly merges: number
  /** Number of distinct keys. */
  readonly keys: number
  /** First and last key; both empty if there are no records. */
  readonly smallest: Uint8Array
  readonly largest: Uint8Array
  /** Bounds of the records' timestamps; 0 if the file stores none. */
  readonly minTimestamp: number
  readonly maxTimestamp: number
  /** Key bytes of all records, before shared prefixes and compression. */
  readonly rawKeyBytes: number
  /** Value bytes of all records, before compression. */
  readonly rawValueBytes: number
  /** Number of data blocks. */
  readonly dataBlocks: number
  /**
   * Bytes at the end of the file that hold index, filter, properties and footer. A reader that
   * knows it opens the file in one read.
   */
  readonly tailBytes: number
  /** Summaries of the statistics collectors, by name. */
  readonly statistics: Readonly<Record<string, Uint8Array>>
}
