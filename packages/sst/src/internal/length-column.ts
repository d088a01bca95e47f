import type { CorruptionError } from '@firn/env'

// A column of lengths takes 0, 1, 2 or 4 bytes a row. With 0 all lengths are equal: the region's
// size divided by the number of rows. The code of the width (0 to 3) is in the header.
const WIDTHS = [0, 1, 2, 4] as const

/** The code of the narrowest column for lengths between `min` and `max`. */
export function widthCode(min: number, max: number): number {
  return min === max ? 0 : max <= 0xff ? 1 : max <= 0xffff ? 2 : 3
}

/** Bytes of a row in a column of this code. */
export function columnWidth(code: number): number {
  return WIDTHS[code & 3] as number
}

/**
 * Turns the lengths in `bytes` at `at` into `rows + 1` offsets, which start at `first`, and writes
 * them to `table` from `slot` on. Checks that the last one is `first + total`. Sums of lengths
 * can't decrease, so all offsets are then in order and in bounds.
 */
export function readLengths(
  bytes: Uint8Array,
  at: number,
  code: number,
  rows: number,
  total: number,
  first: number,
  table: Int32Array,
  slot: number,
  fail: (problem: string) => CorruptionError,
): void {
  const end = first + total
  let offset = first
  let to = slot
  table[to++] = offset
  // `as number`: the caller checked that the columns lie within the bytes.
  if (code === 0) {
    const length = rows === 0 ? 0 : total / rows
    if (length !== Math.floor(length)) throw fail("equal lengths don't divide their region")
    for (let row = 0; row < rows; row++) table[to++] = offset += length
  } else if (code === 1) {
    for (let row = 0; row < rows; row++) table[to++] = offset += bytes[at + row] as number
  } else if (code === 2) {
    for (let i = at, last = at + rows * 2; i < last; i += 2) {
      table[to++] = offset += (bytes[i] as number) | ((bytes[i + 1] as number) << 8)
    }
  } else {
    for (let i = at, last = at + rows * 4; i < last; i += 4) {
      const low = (bytes[i] as number) | ((bytes[i + 1] as number) << 8)
      const high = (bytes[i + 2] as number) | ((bytes[i + 3] as number) << 8)
      // Doubles don't wrap, so no sum of hostile lengths comes back into range.
      offset += low + high * 65_536
      if (offset > end) break
      table[to++] = offset
    }
  }
  if (offset !== end) throw fail("lengths don't add up to their region")
}

/** Writes the differences of `rows + 1` offsets, less `minus`; returns the end of the column. */
export function writeLengths(
  offsets: Uint32Array,
  minus: number,
  code: number,
  rows: number,
  target: Uint8Array,
  at: number,
): number {
  let out = at
  if (code === 0) return out
  let before = offsets[0] as number
  for (let row = 1; row <= rows; row++) {
    const offset = offsets[row] as number
    const length = offset - before - minus
    before = offset
    target[out++] = length
    if (code > 1) target[out++] = length >>> 8
    if (code > 2) {
      target[out++] = length >>> 16
      target[out++] = length >>> 24
    }
  }
  return out
}
