import { compareBytes } from '@firn/bytes'
import type { KeyRange } from './key-range.js'

/**
 * Groups files so that none overlaps a file of another group. Groups and their files are in key
 * order.
 */
export function overlapGroups<F extends KeyRange>(files: readonly F[]): F[][] {
  const groups: F[][] = []
  let group: F[] = []
  let largest: Uint8Array | undefined
  for (const file of inKeyOrder(files)) {
    if (largest === undefined || compareBytes(file.smallest, largest) > 0) {
      group = []
      groups.push(group)
      largest = file.largest
    }
    group.push(file)
    if (compareBytes(file.largest, largest) > 0) largest = file.largest
  }
  return groups
}

/**
 * Splits files into as few rows as possible; in a row, files are in key order and don't overlap.
 */
export function disjointRows<F extends KeyRange>(files: readonly F[]): F[][] {
  const rows: F[][] = []
  for (const file of inKeyOrder(files)) {
    const row = rows.find((one) => compareBytes((one.at(-1) as F).largest, file.smallest) < 0)
    if (row === undefined) rows.push([file])
    else row.push(file)
  }
  return rows
}

function inKeyOrder<F extends KeyRange>(files: readonly F[]): F[] {
  return [...files].sort((a, b) => compareBytes(a.smallest, b.smallest))
}
