import { compareRanges } from '@firn/bytes'
import { BLOCK_HEADER_BYTES } from './block-layout.js'

// Memory of a decoded block besides its bytes: four objects with their headers.
const OBJECT_BYTES = 320

/** Start of the heads in `DataBlock.table`. */
export const HEADS = 2

/**
 * A data block in memory: its raw bytes, validated once, and one typed array for binary search. Row
 * numbers and offsets in it need no more checks.
 *
 * A random lookup in a large cache costs its cache misses, some 80 ns each. So there are no
 * avoidable objects and no doubles among the fields (V8 boxes them), and the fields that every
 * lookup reads come first.
 */
export class DataBlock {
  readonly bytes: Uint8Array
  /**
   * Columns, one after another; n is `rows`:
   * - the timestamp of all rows if they share one, in two words: low, high;
   * - n heads: the first four bytes of a key's suffix, big endian, zero padded, with the top bit
   *   flipped, so that signed order is byte order;
   * - n + 1 offsets of key suffixes in `bytes`; the last one is their end;
   * - n + 1 offsets of values in `bytes`;
   * - if rows have different timestamps: n times low word, high word.
   */
  readonly table: Int32Array
  readonly rows: number
  readonly prefixLength: number
  /** The length of every key suffix; -1 if lengths differ. */
  readonly suffixLength: number
  /** The length of every value; -1 if lengths differ. */
  readonly valueLength: number
  /** Offset of the first value in `bytes`. */
  readonly valuesStart: number
  /** The kind of every row; -1 if kinds differ: a column of bytes at `kindsStart` then has them. */
  readonly kind: number
  readonly kindsStart: number
  /** Start of the timestamps in `table`; -1 if all rows have the same timestamp. */
  readonly timestampsAt: number
  /** Whether two rows have the same key. */
  readonly duplicates: boolean
  readonly memoryBytes: number

  constructor(
    bytes: Uint8Array,
    table: Int32Array,
    rows: number,
    prefixLength: number,
    suffixLength: number,
    valueLength: number,
    valuesStart: number,
    kind: number,
    kindsStart: number,
    timestampsAt: number,
    duplicates: boolean,
  ) {
    this.bytes = bytes
    this.table = table
    this.rows = rows
    this.prefixLength = prefixLength
    this.suffixLength = suffixLength
    this.valueLength = valueLength
    this.valuesStart = valuesStart
    this.kind = kind
    this.kindsStart = kindsStart
    this.timestampsAt = timestampsAt
    this.duplicates = duplicates
    this.memoryBytes = bytes.byteLength + table.byteLength + OBJECT_BYTES
  }

  /** The timestamp of a row. `as number`: the row is one of the block's. */
  timestampOf(row: number): number {
    const at = this.timestampsAt < 0 ? 0 : this.timestampsAt + 2 * row
    return (this.table[at + 1] as number) * 2 ** 32 + ((this.table[at] as number) >>> 0)
  }

  /** A copy of a row's whole key. */
  keyOf(row: number): Uint8Array {
    const at = HEADS + this.rows + row
    const start = this.table[at] as number
    const end = this.table[at + 1] as number
    const key = new Uint8Array(this.prefixLength + end - start)
    key.set(this.bytes.subarray(BLOCK_HEADER_BYTES, BLOCK_HEADER_BYTES + this.prefixLength))
    key.set(this.bytes.subarray(start, end), this.prefixLength)
    return key
  }

  /** A row's value, as a view. */
  valueOf(row: number): Uint8Array {
    const at = HEADS + 2 * this.rows + 1 + row
    return this.bytes.subarray(this.table[at] as number, this.table[at + 1] as number)
  }

  kindOf(row: number): number {
    return this.kind >= 0 ? this.kind : (this.bytes[this.kindsStart + row] as number)
  }

  /**
   * Returns the first row whose key is ≥ `key[start, end)`, or `rows` if there is none. If that
   * key is equal, returns the complement `~row` instead, so that one search answers both questions.
   */
  search(key: Uint8Array, start: number, end: number): number {
    const bytes = this.bytes
    const rows = this.rows
    const suffix = start + this.prefixLength
    const prefixEnd = Math.min(suffix, end)
    // `as number` in this method: rows and offsets were validated when the block was decoded, key
    // positions stay below `end`.
    for (let i = start, j = BLOCK_HEADER_BYTES; i < prefixEnd; i++, j++) {
      if (key[i] !== bytes[j]) return (key[i] as number) < (bytes[j] as number) ? 0 : rows
    }
    if (end < suffix) return 0
    const head = headOf(key, suffix, end)
    const table = this.table
    let low = HEADS
    let high = rows + HEADS
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((table[middle] as number) < head) low = middle + 1
      else high = middle
    }
    // `low` is the first row whose head is ≥. More rows of an equal head may follow, in order.
    low -= HEADS
    if (low === rows || table[low + HEADS] !== head) return low
    // A suffix that fits into the head is equal if its length is.
    if (this.suffixLength === end - suffix && end - suffix <= 4) return ~low
    const order = this.#compareSuffix(low, key, suffix, end)
    if (order >= 0) return order === 0 ? ~low : low
    return this.#searchEqualHeads(low, head, key, suffix, end)
  }

  /** Searches after `last`, which has the head but a smaller key: gallops, then bisects. */
  #searchEqualHeads(
    last: number,
    head: number,
    key: Uint8Array,
    suffix: number,
    end: number,
  ): number {
    const rows = this.rows
    let step = 1
    let low = last + 1
    let high = low
    while (high < rows && this.#less(high, head, key, suffix, end)) {
      low = high + 1
      high += step
      step *= 2
    }
    if (high > rows) high = rows
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.#less(middle, head, key, suffix, end)) low = middle + 1
      else high = middle
    }
    if (low === rows || this.table[low + HEADS] !== head) return low
    return this.#compareSuffix(low, key, suffix, end) === 0 ? ~low : low
  }

  /** Whether a row, whose head isn't smaller, has a smaller key. */
  #less(row: number, head: number, key: Uint8Array, suffix: number, end: number): boolean {
    return this.table[row + HEADS] === head && this.#compareSuffix(row, key, suffix, end) < 0
  }

  #compareSuffix(row: number, key: Uint8Array, suffix: number, end: number): number {
    const at = HEADS + this.rows + row
    return compareRanges(
      this.bytes,
      this.table[at] as number,
      this.table[at + 1] as number,
      key,
      suffix,
      end,
    )
  }

  /** Whether two rows of this block have the same key. */
  sameKey(row: number, other: number): boolean {
    const table = this.table
    const at = HEADS + this.rows + other
    return (
      table[HEADS + row] === table[HEADS + other] &&
      this.#compareSuffix(row, this.bytes, table[at] as number, table[at + 1] as number) === 0
    )
  }
}

/** The head of `bytes[start, end)`, as in `DataBlock.table`. */
export function headOf(bytes: Uint8Array, start: number, end: number): number {
  let head = 0
  // `as number`: indexes stay below `end`.
  if (start + 4 <= end) {
    head =
      ((bytes[start] as number) << 24) |
      ((bytes[start + 1] as number) << 16) |
      ((bytes[start + 2] as number) << 8) |
      (bytes[start + 3] as number)
  } else {
    if (start < end) head = (bytes[start] as number) << 24
    if (start + 1 < end) head |= (bytes[start + 1] as number) << 16
    if (start + 2 < end) head |= (bytes[start + 2] as number) << 8
  }
  return head ^ 0x80000000
}
