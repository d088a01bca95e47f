import { deflateRawSync, inflateRawSync } from 'node:zlib'

/** Compresses to raw DEFLATE (RFC 1951). */
export function deflate(bytes: Uint8Array): Uint8Array {
  // A 16 KiB window and small hash tables: blocks are small, and zlib clears its tables each time.
  return deflateRawSync(bytes, { level: 1, windowBits: 14, memLevel: 7 })
}

// Zlib writes its output to chunks of at most this size. So a wrong raw length, which may be a
// thousand times the stored one, takes no memory.
const MAX_CHUNK_BYTES: number = 1024 * 1024

/** Decompresses raw DEFLATE; undefined unless the result is exactly `length` bytes. */
export function inflate(bytes: Uint8Array, length: number): Uint8Array | undefined {
  try {
    const raw = inflateRawSync(bytes, {
      maxOutputLength: Math.max(1, length),
      chunkSize: Math.max(64, Math.min(length, MAX_CHUNK_BYTES)),
    })
    if (raw.length !== length) return undefined
    // Small chunks are parts of Node's buffer pool, which a cached block would keep in memory.
    return raw.buffer.byteLength === length ? new Uint8Array(raw.buffer) : new Uint8Array(raw)
  } catch {
    return undefined
  }
}
