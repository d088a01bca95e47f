// Decides which of several cursors comes next.
//
// 1. The cursors form one short sorted array. A cursor that moved is put back by comparing it with
//    its neighbours from the front: once if one source dominates, two or three times if five take
//    turns. In a wide merge, binary search takes over from there.
// 2. Keys in a merge are near each other, so their first bytes are mostly equal. Bytes that all
//    present keys share (`#shared`) are checked once per record, and the 52 bits after them make a
//    number that decides nearly every comparison. Equal numbers fall back on the bytes.
// 3. If equal numbers become frequent, the shared part is measured again; if a key leaves it, it
//    shrinks. Both cost a pass over the cursors; patience grows each time it shrinks.
//
// Measured by bench/cursors.mjs with 16-byte keys, sources taking turns at random, net of the cost
// of the cursors' own moves. README.md has the numbers.

import { commonPrefixLength, compareRanges } from '@firn/bytes'
import type { RecordCursor } from '../cursor.js'

/** From this position on, binary search finds the place. */
const LINEAR = 6
/** Bytes in a code: as many whole ones as a number's 53 bits hold. */
const CODE_BYTES = 6
const WORD_BYTES = 4
const MIN_PATIENCE = 4
const MAX_PATIENCE = 1024

/** The cursors that are on a record, by index, least first in the direction of the merge. */
export class MergeOrder {
  length = 0
  readonly #cursors: readonly RecordCursor[]
  readonly #sign: number
  readonly #order: Int32Array
  /**
   * For each cursor, the six bytes of its key after the shared part, as a number; negated in
   * reverse.
   */
  readonly #codes: Float64Array
  #shared = 0
  #prefix: Uint8Array = new Uint8Array(0)
  /** A copy of the shared part, four bytes at a time. */
  #words: Int32Array = new Int32Array(0)
  #ties = 0
  #patience = MIN_PATIENCE

  constructor(cursors: readonly RecordCursor[], reverse: boolean) {
    this.#cursors = cursors
    this.#sign = reverse ? -1 : 1
    this.#order = new Int32Array(cursors.length)
    this.#codes = new Float64Array(cursors.length)
  }

  /** Index of the least cursor. There must be one. */
  get least(): number {
    return this.#order[0] as number
  }

  clear(): void {
    this.length = 0
    this.#shared = 0
    this.#ties = 0
  }

  removeLeast(): void {
    this.#order.copyWithin(0, 1, this.length)
    this.length--
  }

  /**
   * Adds a cursor that is on a record. If another one is on the same key and timestamp, removes the
   * later of the two and returns its index; otherwise returns -1.
   */
  insert(index: number): number {
    this.#order.copyWithin(1, 0, this.length)
    this.#order[0] = index
    this.length++
    return this.replaceLeast()
  }

  /**
   * Moves the first cursor of the array, which moved, to its new place. Returns as `insert` does.
   */
  replaceLeast(): number {
    const order = this.#order
    const codes = this.#codes
    const length = this.length
    // Indexes are below `length`, and the cursors' indexes below theirs.
    const index = order[0] as number
    this.#encode(index)
    const code = codes[index] as number
    let at = 1
    const linear = Math.min(length, LINEAR)
    for (; at < linear; at++) {
      const other = order[at] as number
      let difference = code - (codes[other] as number)
      if (difference === 0) difference = this.#compareKeys(index, other)
      if (difference < 0) {
        order[at - 1] = index
        return -1
      }
      if (difference === 0) {
        order[at - 1] = index
        return this.#takeOut(at - 1, at)
      }
      order[at - 1] = other
    }
    if (at < length) return this.#placeFar(index, at)
    order[at - 1] = index
    return -1
  }

  /** The rest of `replaceLeast`, for a cursor that comes after all before `from`. */
  #placeFar(index: number, from: number): number {
    const order = this.#order
    let low = from
    let high = this.length
    while (low < high) {
      const middle = (low + high) >>> 1
      const other = order[middle] as number
      let difference = (this.#codes[index] as number) - (this.#codes[other] as number)
      if (difference === 0) difference = this.#compareKeys(index, other)
      if (difference > 0) {
        low = middle + 1
      } else if (difference < 0) {
        high = middle
      } else {
        order.copyWithin(from - 1, from, middle)
        order[middle - 1] = index
        return this.#takeOut(middle - 1, middle)
      }
    }
    order.copyWithin(from - 1, from, low)
    order[low - 1] = index
    return -1
  }

  /** Removes the later of two equal cursors at neighbouring places. */
  #takeOut(a: number, b: number): number {
    const order = this.#order
    const place = (order[a] as number) > (order[b] as number) ? a : b
    const loser = order[place] as number
    order.copyWithin(place, place + 1, this.length)
    this.length--
    return loser
  }

  /** Compares by key, then timestamp, in the merge's direction; 0 for duplicates. */
  #compareKeys(index: number, otherIndex: number): number {
    this.#ties++
    const a = this.#cursors[index] as RecordCursor
    const b = this.#cursors[otherIndex] as RecordCursor
    const shared = this.#shared
    const order = compareRanges(
      a.keyBytes,
      a.keyStart + shared,
      a.keyEnd,
      b.keyBytes,
      b.keyStart + shared,
      b.keyEnd,
    )
    return this.#sign * (order === 0 ? b.timestamp - a.timestamp : order)
  }

  /** Sets the code of a cursor that moved. The other codes must be of the current shared part. */
  #encode(index: number): void {
    if (this.#ties > this.#patience) this.#grow()
    const cursor = this.#cursors[index] as RecordCursor
    const keyBytes = cursor.keyBytes
    const keyStart = cursor.keyStart
    const keyEnd = cursor.keyEnd
    const shared = this.#shared
    if (shared > 0) {
      if (
        keyEnd - keyStart < shared ||
        !startsWith(keyBytes, keyStart, keyStart + shared, this.#words)
      ) {
        this.#shrink(index)
        return
      }
    }
    this.#codes[index] = this.#sign * codeOf(keyBytes, keyStart + shared, keyEnd)
  }

  /** Equal codes were frequent: moves everything that the keys share out of the codes. */
  #grow(): void {
    this.#ties = 0
    const first = this.#at(0)
    let shared = Number.POSITIVE_INFINITY
    for (let i = 0; i < this.length; i++) {
      const cursor = this.#at(i)
      // Bytes that fit into a code needn't be shared: a shorter shared part is left less often.
      const beforeCode = cursor.keyEnd - cursor.keyStart - CODE_BYTES
      shared = Math.min(shared, beforeCode, sharedLength(first, cursor))
    }
    if (shared > this.#shared) this.#share(shared)
  }

  /** A key left the shared part: shrinks it to what is still shared. */
  #shrink(index: number): void {
    const { keyBytes, keyStart, keyEnd } = this.#cursors[index] as RecordCursor
    const prefix = this.#prefix
    this.#patience = Math.min(this.#patience * 2, MAX_PATIENCE)
    this.#share(commonPrefixLength(keyBytes, keyStart, keyEnd, prefix, 0, this.#shared))
  }

  #share(length: number): void {
    const { keyBytes, keyStart } = this.#at(0)
    // Less than a word isn't worth a check.
    const shared = length < WORD_BYTES ? 0 : length
    this.#shared = shared
    this.#prefix = keyBytes.slice(keyStart, keyStart + shared)
    this.#words = new Int32Array(Math.ceil(shared / WORD_BYTES))
    for (let i = 0; i < this.#words.length; i++) {
      this.#words[i] = wordAt(keyBytes, keyStart + Math.min(i * WORD_BYTES, shared - WORD_BYTES))
    }
    for (let i = 0; i < this.length; i++) {
      const cursor = this.#at(i)
      this.#codes[this.#order[i] as number] =
        this.#sign * codeOf(cursor.keyBytes, cursor.keyStart + shared, cursor.keyEnd)
    }
  }

  #at(place: number): RecordCursor {
    return this.#cursors[this.#order[place] as number] as RecordCursor
  }
}

function sharedLength(a: RecordCursor, b: RecordCursor): number {
  return commonPrefixLength(a.keyBytes, a.keyStart, a.keyEnd, b.keyBytes, b.keyStart, b.keyEnd)
}

/** Whether `bytes` has these big-endian words at `start`; the last one ends at `end`. */
function startsWith(bytes: Uint8Array, start: number, end: number, words: Int32Array): boolean {
  const last = words.length - 1
  let at = start
  for (let i = 0; i < last; i++, at += WORD_BYTES) {
    if (wordAt(bytes, at) !== words[i]) return false
  }
  // The last word may overlap the one before.
  return wordAt(bytes, end - WORD_BYTES) === words[last]
}

// `as number`: the caller ensures that four bytes exist.
function wordAt(bytes: Uint8Array, at: number): number {
  return (
    ((bytes[at] as number) << 24) |
    ((bytes[at + 1] as number) << 16) |
    ((bytes[at + 2] as number) << 8) |
    (bytes[at + 3] as number)
  )
}

/** The first six bytes of `bytes[start, end)` as an integer; missing bytes are zeros. */
function codeOf(bytes: Uint8Array, start: number, end: number): number {
  if (end - start >= CODE_BYTES) {
    // `as number`: below `end`.
    const low = ((bytes[start + 4] as number) << 8) | (bytes[start + 5] as number)
    return (wordAt(bytes, start) >>> 0) * 0x10000 + low
  }
  let code = 0
  for (let i = 0; i < CODE_BYTES; i++) {
    code = code * 256 + (start + i < end ? (bytes[start + i] as number) : 0)
  }
  return code
}
