import { crc32 as implementation } from '#crc32'

/**
 * CRC-32 as an unsigned number, with the polynomial of zlib, gzip and PNG (0xedb88320 reflected).
 * `seed` is the checksum of the bytes before: `crc32(b, crc32(a))` is the checksum of `a` then `b`.
 * The checksum of no bytes is 0.
 *
 * Node.js uses `node:zlib` for all but short inputs, other runtimes a table, with equal results.
 */
export const crc32: (bytes: Uint8Array, seed?: number) => number = implementation
