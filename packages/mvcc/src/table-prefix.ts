// Keys of memtables and SSTs are stored keys: the table's id, a big-endian u32, then the user's
// key. No other file reads or writes the id.

import { CorruptionError } from '@firn/env'

/** Bytes of the table's id before every user key. */
export const TABLE_PREFIX_BYTES = 4

/** Writes a table's id to `target[at, at + TABLE_PREFIX_BYTES)`. */
export function writeTablePrefix(target: Uint8Array, at: number, tableId: number): void {
  target[at] = tableId >>> 24
  target[at + 1] = tableId >>> 16
  target[at + 2] = tableId >>> 8
  target[at + 3] = tableId
}

/** The table id of a stored key that begins at `start`; missing bytes count as 0. */
export function tableIdAt(bytes: Uint8Array, start: number): number {
  return (
    (((bytes[start] as number) << 24) |
      ((bytes[start + 1] as number) << 16) |
      ((bytes[start + 2] as number) << 8) |
      (bytes[start + 3] as number)) >>>
    0
  )
}

/** The table id of a stored key. Throws `CorruptionError` if the key is too short to have one. */
export function tableIdOf(key: Uint8Array): number {
  if (key.length < TABLE_PREFIX_BYTES) {
    throw new CorruptionError(`a key of ${key.length} bytes belongs to no table`)
  }
  return tableIdAt(key, 0)
}

/** The stored key of an empty user key: the smallest stored key of the table. */
export function tablePrefix(tableId: number): Uint8Array {
  const prefix = new Uint8Array(TABLE_PREFIX_BYTES)
  writeTablePrefix(prefix, 0, tableId)
  return prefix
}

/** The stored key of a user key. */
export function prefixedKey(tableId: number, key: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(TABLE_PREFIX_BYTES + key.length)
  writeTablePrefix(bytes, 0, tableId)
  bytes.set(key, TABLE_PREFIX_BYTES)
  return bytes
}
