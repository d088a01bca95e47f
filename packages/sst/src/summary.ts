/** What a finished file holds: for a manifest, and equal to what a reader of the file reports. */
export interface SstSummary {
  readonly fileId: string
  /** Size of the whole file. */
  readonly bytes: number
  /** Records of every kind, all versions. */
  readonly records: number
  /** How many of the records are deletes. */
  readonly deletes: number
  /** How many of the records are merge operands. */
  readonly merges: number
  /** How many different keys the records have. */
  readonly keys: number
  /** First and last key; both empty when there are no records. */
  readonly smallest: Uint8Array
  readonly largest: Uint8Array
  /** Bounds of the records' timestamps; 0 where the file stores none. */
  readonly minTimestamp: number
  readonly maxTimestamp: number
  /** Key bytes of all records, before prefixes are shared and blocks compressed. */
  readonly rawKeyBytes: number
  /** Value bytes of all records, before compression. */
  readonly rawValueBytes: number
  /** How many data blocks there are. */
  readonly dataBlocks: number
  /**
   * How many bytes at the end a reader needs to open the file in one read: filter, index,
   * properties and footer.
   */
  readonly tailBytes: number
  /** What each statistics collector left. */
  readonly statistics: Readonly<Record<string, Uint8Array>>
}
