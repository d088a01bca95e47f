import { compareBytes, prefixEnd } from '@firn/bytes'
import type { FileMeta } from '@firn/manifest'
import { type Encoding, encodeWith } from '../encoding.js'
import type { Range } from '../range.js'
import { prefixedKey, writeTablePrefix } from './point-lookup.js'
import { TABLE_PREFIX_BYTES } from './table-memtable.js'

/** One end of a range of keys, table prefix included. */
interface KeyBound {
  key: Uint8Array
  inclusive: boolean
}

export interface KeyBounds {
  lower: KeyBound
  upper: KeyBound
}

/** The keys of a table, or the part of them that `range` names, as bounds of stored keys. */
export function keyBounds<K>(tableId: number, range: Range<K>, keys: Encoding<K>): KeyBounds {
  const whole = tableBounds(tableId)
  const stored = (key: K): Uint8Array => prefixedKey(tableId, encodeWith(keys, key))
  if (range.prefix !== undefined) {
    const prefix = prefixedKey(
      tableId,
      keys.encodePrefix === undefined
        ? encodeWith(keys, range.prefix as K)
        : keys.encodePrefix(range.prefix as K),
    )
    const end = prefixEnd(prefix)
    return {
      lower: { key: prefix, inclusive: true },
      upper: end === undefined ? whole.upper : { key: end, inclusive: false },
    }
  }
  const lowers: KeyBound[] = []
  const uppers: KeyBound[] = []
  if (range.gt !== undefined) lowers.push({ key: stored(range.gt), inclusive: false })
  if (range.gte !== undefined) lowers.push({ key: stored(range.gte), inclusive: true })
  if (range.lt !== undefined) uppers.push({ key: stored(range.lt), inclusive: false })
  if (range.lte !== undefined) uppers.push({ key: stored(range.lte), inclusive: true })
  return {
    lower: lowers.reduce((a, b) => tighter(a, b, 1), whole.lower),
    upper: uppers.reduce((a, b) => tighter(a, b, -1), whole.upper),
  }
}

/** True where no key can lie between the bounds. */
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

function tableBounds(tableId: number): KeyBounds {
  const first = new Uint8Array(TABLE_PREFIX_BYTES)
  writeTablePrefix(first, tableId)
  const next = new Uint8Array(TABLE_PREFIX_BYTES)
  writeTablePrefix(next, tableId + 1)
  return { lower: { key: first, inclusive: true }, upper: { key: next, inclusive: false } }
}

/** The bound that leaves less: the greater of two lower ones (`sign` 1), the smaller of two upper. */
function tighter(a: KeyBound, b: KeyBound, sign: 1 | -1): KeyBound {
  const order = compareBytes(a.key, b.key) * sign
  if (order !== 0) return order > 0 ? a : b
  return a.inclusive ? b : a
}
