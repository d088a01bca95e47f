import { crc32 as native } from 'node:zlib'
import { crc32 as portable } from './crc32-portable.js'

// The call into zlib costs as much as this many bytes through the table.
const NATIVE_FROM_BYTES = 96

/** CRC-32 through `node:zlib` where the call pays for itself. */
export function crc32(bytes: Uint8Array, seed = 0): number {
  return bytes.length < NATIVE_FROM_BYTES ? portable(bytes, seed) : native(bytes, seed)
}
