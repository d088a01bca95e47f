// Indexed loops. On Node 20 they find a difference in the first four bytes in 12 ns, and one after
// 20 bytes in 32 ns. Buffer.compare takes 53 ns, and more for the views that it needs. Four bytes
// a turn saves a tenth. `as number`: callers guarantee that the indexes are within the arrays.

/**
 * Compares two byte strings in unsigned lexicographic order. Returns a negative number, zero or a
 * positive number if `a` comes before, equals or comes after `b`. A proper prefix comes first.
 */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  return compareRanges(a, 0, a.length, b, 0, b.length)
}

/**
 * Compares `a[aStart, aEnd)` with `b[bStart, bEnd)` like `compareBytes`, without making views. The
 * ranges must lie within their arrays; this isn't checked.
 */
export function compareRanges(
  a: Uint8Array,
  aStart: number,
  aEnd: number,
  b: Uint8Array,
  bStart: number,
  bEnd: number,
): number {
  const aLength = aEnd - aStart
  const bLength = bEnd - bStart
  const end = aStart + Math.min(aLength, bLength)
  let i = aStart
  let j = bStart
  for (const last = end - 4; i <= last; i += 4, j += 4) {
    if (a[i] !== b[j]) return (a[i] as number) - (b[j] as number)
    if (a[i + 1] !== b[j + 1]) return (a[i + 1] as number) - (b[j + 1] as number)
    if (a[i + 2] !== b[j + 2]) return (a[i + 2] as number) - (b[j + 2] as number)
    if (a[i + 3] !== b[j + 3]) return (a[i + 3] as number) - (b[j + 3] as number)
  }
  for (; i < end; i++, j++) {
    if (a[i] !== b[j]) return (a[i] as number) - (b[j] as number)
  }
  return aLength - bLength
}

/** Whether `a[aStart, aEnd)` and `b[bStart, bEnd)` hold the same bytes. Bounds aren't checked. */
export function equalRanges(
  a: Uint8Array,
  aStart: number,
  aEnd: number,
  b: Uint8Array,
  bStart: number,
  bEnd: number,
): boolean {
  if (aEnd - aStart !== bEnd - bStart) return false
  for (let i = aStart, j = bStart; i < aEnd; i++, j++) {
    if (a[i] !== b[j]) return false
  }
  return true
}

/** How many leading bytes `a[aStart, aEnd)` and `b[bStart, bEnd)` share. Bounds aren't checked. */
export function commonPrefixLength(
  a: Uint8Array,
  aStart: number,
  aEnd: number,
  b: Uint8Array,
  bStart: number,
  bEnd: number,
): number {
  const aLength = aEnd - aStart
  const bLength = bEnd - bStart
  const limit = Math.min(aLength, bLength)
  let length = 0
  while (length < limit && a[aStart + length] === b[bStart + length]) length++
  return length
}

/**
 * The exclusive end of a prefix scan: the smallest byte string above every string that starts with
 * `prefix`. `undefined` if none exists (`prefix` is empty or all 0xff).
 */
export function prefixEnd(prefix: Uint8Array): Uint8Array | undefined {
  let length = prefix.length
  while (length > 0 && prefix[length - 1] === 0xff) length--
  if (length === 0) return undefined
  const end = prefix.slice(0, length)
  end[length - 1] = (end[length - 1] as number) + 1
  return end
}
