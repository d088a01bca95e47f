import { crc32 as native } from 'node:zlib'
import { crc32 as portable } from './crc32-portable.js'

// Calling zlib takes 60 to 140 ns; in that time the table does some 150 to 250 bytes.
const NATIVE_FROM_BYTES = 192

/** CRC-32 by `node:zlib` if the input is long enough for that to be faster. */
export function crc32(bytes: Uint8Array, seed = 0): number {
  return bytes.length < NATIVE_FROM_BYTES ? portable(bytes, seed) : native(bytes, seed)
}
