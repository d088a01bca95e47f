import { crc32 as implementation } from '#crc32'

/**
 * CRC-32 with the polynomial of zlib, gzip and PNG (0xedb88320 reflected), as an unsigned number.
 * `seed` is the checksum of what came before: `crc32(b, crc32(a))` is `crc32` of `a` then `b`.
 * The empty string's is 0.
 *
 * On Node it is `node:zlib`'s for all but short inputs; elsewhere a table. Both give equal results.
 */
export const crc32: (bytes: Uint8Array, seed?: number) => number = implementation
