// Up to some fifty bytes, a loop beats `set` and `copyWithin`.
const LONG_COPY = 56

/**
 * Decompresses the LZ4 block `source[start, end)` into `target`. Returns whether it filled `target`
 * exactly. Refuses a block that would read or write out of bounds, or that refers to bytes before
 * the start of the output.
 */
export function lz4Decompress(
  source: Uint8Array,
  start: number,
  end: number,
  target: Uint8Array,
): boolean {
  const size = target.length
  let at = start
  let out = 0
  while (at < end) {
    // `as number` here and below: the index was compared with the end.
    const token = source[at++] as number
    let literals = token >>> 4
    if (literals === 15) {
      let more = 255
      while (more === 255) {
        if (at >= end) return false
        more = source[at++] as number
        literals += more
      }
    }
    if (literals > 0) {
      const stop = at + literals
      if (stop > end || literals > size - out) return false
      if (literals > LONG_COPY) {
        target.set(source.subarray(at, stop), out)
        out += literals
        at = stop
      } else {
        while (at < stop) target[out++] = source[at++] as number
      }
    }
    // The last sequence ends after its literals.
    if (at === end) break
    if (end - at < 2) return false
    const distance = (source[at] as number) | ((source[at + 1] as number) << 8)
    at += 2
    if (distance === 0 || distance > out) return false
    let length = (token & 15) + 4
    if (length === 19) {
      let more = 255
      while (more === 255) {
        if (at >= end) return false
        more = source[at++] as number
        length += more
      }
    }
    if (length > size - out) return false
    let from = out - distance
    if (length > LONG_COPY && distance >= length) {
      target.copyWithin(out, from, from + length)
      out += length
    } else {
      // Byte by byte, because a match may overlap its own output.
      const stop = out + length
      while (out < stop) target[out++] = target[from++] as number
    }
  }
  return out === size
}
