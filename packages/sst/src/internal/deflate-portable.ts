import { deflateSync, inflateSync } from 'fflate'

/** Compresses to raw DEFLATE (RFC 1951). */
export function deflate(bytes: Uint8Array): Uint8Array {
  return deflateSync(bytes, { level: 1 })
}

/** Decompresses raw DEFLATE; undefined unless the result is exactly `length` bytes. */
export function inflate(bytes: Uint8Array, length: number): Uint8Array | undefined {
  try {
    // fflate silently stops at the end of `out`, so one more byte of room reveals a longer output.
    const raw = inflateSync(bytes, { out: new Uint8Array(length + 1) })
    return raw.length === length ? raw.slice() : undefined
  } catch {
    return undefined
  }
}
