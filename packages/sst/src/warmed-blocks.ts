/** What one read of `SstReader.warm` brought into the cache. */
export interface WarmedBlocks {
  readonly blocks: number
  /** Their bytes in the file. */
  readonly bytes: number
  /** Records of every kind, all versions. */
  readonly records: number
}
