import { compareBytes } from '@firn/bytes'
import type { FileMeta } from '@firn/manifest'
import { tableIdOf, tablePrefix } from '@firn/mvcc'

/** A range of keys; both ends belong to it. */
export interface KeyRange {
  readonly smallest: Uint8Array
  readonly largest: Uint8Array
}

export function overlaps(a: KeyRange, b: KeyRange): boolean {
  return compareBytes(a.smallest, b.largest) <= 0 && compareBytes(b.smallest, a.largest) <= 0
}

/** The smallest range that holds both. */
export function hull(a: KeyRange | undefined, b: KeyRange): KeyRange {
  if (a === undefined) return { smallest: b.smallest, largest: b.largest }
  return {
    smallest: compareBytes(a.smallest, b.smallest) <= 0 ? a.smallest : b.smallest,
    largest: compareBytes(a.largest, b.largest) >= 0 ? a.largest : b.largest,
  }
}

/**
 * The range that may hold a file's records of a table; `undefined` if it has none. The metadata of
 * a file with several tables shows only its two ends, so a table between them may be anywhere in
 * the file, or absent.
 */
export function rangeInTable(file: FileMeta, tableId: number): KeyRange | undefined {
  const first = tableIdOf(file.smallest)
  const last = tableIdOf(file.largest)
  if (tableId < first || tableId > last) return undefined
  return {
    smallest: tableId === first ? file.smallest : tablePrefix(tableId),
    largest: tableId === last ? file.largest : tablePrefix(tableId + 1),
  }
}

/** The table of a file that holds only one. */
export function onlyTableOf(file: FileMeta): number | undefined {
  const first = tableIdOf(file.smallest)
  return first === tableIdOf(file.largest) ? first : undefined
}
