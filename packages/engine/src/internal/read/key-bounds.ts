import { compareBytes } from '@firn/bytes'
import type { FileMeta } from '@firn/manifest'
import { prefixedKey, tablePrefix } from '@firn/mvcc'
import type { EncodedRange, RangeEnd } from '../arguments/range.js'

/** Bounds of a range of keys, table prefix included. */
export interface KeyBounds {
  lower: RangeEnd
  upper: RangeEnd
}

/** Returns the bounds of the stored keys of a table, or of the part that `range` names. */
export function keyBounds(tableId: number, { lower, upper }: EncodedRange): KeyBounds {
  return {
    lower:
      lower === undefined
        ? { key: tablePrefix(tableId), inclusive: true }
        : { key: prefixedKey(tableId, lower.key), inclusive: lower.inclusive },
    upper:
      upper === undefined
        ? { key: tablePrefix(tableId + 1), inclusive: false }
        : { key: prefixedKey(tableId, upper.key), inclusive: upper.inclusive },
  }
}

/** True if no key can lie between the bounds. */
export function isEmptyRange({ lower, upper }: KeyBounds): boolean {
  const order = compareBytes(lower.key, upper.key)
  return order > 0 || (order === 0 && !(lower.inclusive && upper.inclusive))
}

/** Whether a file may hold keys of a range. */
export function overlaps(
  { smallest, largest }: Pick<FileMeta, 'smallest' | 'largest'>,
  { lower, upper }: KeyBounds,
): boolean {
  return compareBytes(largest, lower.key) >= 0 && compareBytes(smallest, upper.key) <= 0
}
