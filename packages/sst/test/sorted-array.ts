import { compareBytes } from '@firn/bytes'

/** A record, and the model that files are compared with: an array in internal order. */
export interface Row {
  key: Uint8Array
  timestamp: number
  kind: number
  value: Uint8Array
}

export function inOrder(rows: readonly Row[]): Row[] {
  const sorted = [...rows].sort((a, b) => compareBytes(a.key, b.key) || b.timestamp - a.timestamp)
  return sorted.filter((row, i) => {
    const before = sorted[i - 1]
    return (
      before === undefined ||
      compareBytes(before.key, row.key) !== 0 ||
      before.timestamp !== row.timestamp
    )
  })
}

/** The newest version of the key at or before the timestamp. */
export function newest(rows: readonly Row[], key: Uint8Array, timestamp: number): Row | undefined {
  return rows.find((row) => compareBytes(row.key, key) === 0 && row.timestamp <= timestamp)
}

/** The rows that a cursor yields after a seek. */
export function from(
  rows: readonly Row[],
  key: Uint8Array,
  inclusive: boolean,
  reverse: boolean,
): Row[] {
  const kept = rows.filter((row) => {
    const order = compareBytes(row.key, key)
    return order === 0 ? inclusive : reverse ? order < 0 : order > 0
  })
  return reverse ? kept.reverse() : kept
}
