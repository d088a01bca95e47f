/** Blocks that one read of `SstReader.warm` loaded. */
export interface WarmedBlocks {
  readonly blocks: number
  /** Bytes of the blocks in the file. */
  readonly bytes: number
  /** Number of records, of all kinds and versions. */
  readonly records: number
}
