import { TABLE_PREFIX_BYTES, tableIdAt } from '@firn/mvcc'

/** The table and the user's key of a key in an SST; no table if the key is too short for one. */
export function splitKey(key: Uint8Array): { table: number | undefined; key: Uint8Array } {
  if (key.length < TABLE_PREFIX_BYTES) return { table: undefined, key }
  return { table: tableIdAt(key, 0), key: key.subarray(TABLE_PREFIX_BYTES) }
}
