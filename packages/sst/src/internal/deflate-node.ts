import { deflateRawSync, inflateRawSync } from 'node:zlib'

/** Raw DEFLATE (RFC 1951) of `bytes`. */
export function deflate(bytes: Uint8Array): Uint8Array {
  // 16 KiB of window and small hash tables: blocks are small, and zlib clears its tables each time.
  return deflateRawSync(bytes, { level: 1, windowBits: 14, memLevel: 7 })
}

// Zlib's output goes into chunks of this size at most: a raw length that isn't true, a thousand
// times the stored one maybe, takes no memory then.
const MAX_CHUNK_BYTES: number = 1024 * 1024

/** The `length` bytes that `bytes` inflate to; undefined when they don't. */
export function inflate(bytes: Uint8Array, length: number): Uint8Array | undefined {
  try {
    const raw = inflateRawSync(bytes, {
      maxOutputLength: Math.max(1, length),
      chunkSize: Math.max(64, Math.min(length, MAX_CHUNK_BYTES)),
    })
    if (raw.length !== length) return undefined
    // Small chunks are parts of Node's pool, all of which a block in a cache would keep alive.
    return raw.buffer.byteLength === length ? new Uint8Array(raw.buffer) : new Uint8Array(raw)
  } catch {
    return undefined
  }
}
