import { compareRanges } from '@firn/bytes'
import type { OpenFile } from './file-cache.js'

/**
 * Returns the index of the first file whose largest key isn't below the key; the number of files if
 * none.
 */
export function firstFileAtOrAfter(
  handles: readonly OpenFile[],
  key: Uint8Array,
  keyEnd: number,
): number {
  let low = 0
  let high = handles.length
  while (low < high) {
    const middle = (low + high) >>> 1
    const { largest } = (handles[middle] as OpenFile).meta
    if (compareRanges(largest, 0, largest.length, key, 0, keyEnd) < 0) low = middle + 1
    else high = middle
  }
  return low
}
