import { deflateSync, inflateSync } from 'fflate'

/** Raw DEFLATE (RFC 1951) of `bytes`. */
export function deflate(bytes: Uint8Array): Uint8Array {
  return deflateSync(bytes, { level: 1 })
}

/** The `length` bytes that `bytes` inflate to; undefined when they don't. */
export function inflate(bytes: Uint8Array, length: number): Uint8Array | undefined {
  try {
    // fflate stops writing at the end of `out` and says nothing: one byte of room shows an excess.
    const raw = inflateSync(bytes, { out: new Uint8Array(length + 1) })
    return raw.length === length ? raw.slice() : undefined
  } catch {
    return undefined
  }
}
