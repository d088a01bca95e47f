const TABLE_BYTES = 4

/**
 * Splits a key of a database's SST: it begins with the table's number, four bytes, highest first.
 */
export function splitKey(key: Uint8Array): { table: number | undefined; key: Uint8Array } {
  if (key.length < TABLE_BYTES) return { table: undefined, key }
  const table = new DataView(key.buffer, key.byteOffset, TABLE_BYTES).getUint32(0)
  return { table, key: key.subarray(TABLE_BYTES) }
}
