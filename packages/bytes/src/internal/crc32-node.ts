import { crc32 as native } from 'node:zlib'
import { crc32 as portable } from './crc32-portable.js'

// The call into zlib takes 60 to 140 ns, as long as some 150 to 250 bytes through the table.
const NATIVE_FROM_BYTES = 192

/** CRC-32 through `node:zlib` where the call pays for itself. */
export function crc32(bytes: Uint8Array, seed = 0): number {
  return bytes.length < NATIVE_FROM_BYTES ? portable(bytes, seed) : native(bytes, seed)
}
