import { compareRanges } from '@firn/bytes'
import { BLOCK_HEADER_BYTES } from './block-layout.js'

// Sized's share of a decoded block besides its bytes: four objects with their headers.
const OBJECT_BYTES = 320

/** Where the heads begin in `DataBlock.table`. */
export const HEADS = 2

/**
 * A data block as it is held in memory: its raw bytes, validated once, and what binary search
 * needs, in one typed array. Row numbers and offsets below need no more checks.
 *
 * A random lookup in a large cache costs what its cache misses cost, some 80 ns each: hence no
 * object that isn't needed, no double among the fields (V8 boxes them), and the fields that every
 * lookup reads first.
 */
export class DataBlock {
  readonly bytes: Uint8Array
  /**
   * Columns one after another, `rows` being n:
   * - the timestamp of all rows if they have one, in two words: low, high;
   * - n heads: the first four bytes of a key's suffix, big endian, zero padded, with the top bit
   *   flipped, so that signed order is byte order;
   * - n + 1 offsets of key suffixes in `bytes`; the last one is where they end;
   * - n + 1 offsets of values in `bytes`;
   * - if rows have different timestamps: n times low word, high word.
   */
  readonly table: Int32Array
  readonly rows: number
  readonly prefixLength: number
  /** The length of every key's suffix, or -1 where they differ. */
  readonly suffixLength: number
  /** The length of every value, or -1 where they differ. */
  readonly valueLength: number
  /** Where the first value is. */
  readonly valuesStart: number
  /** The kind of every row, or -1 where they differ: then a column of bytes is at `kindsStart`. */
  readonly kind: number
  readonly kindsStart: number
  /** Where the timestamps are in `table`, or -1 where all rows have the same. */
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

  /** A row's whole key, in an array of its own. */
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
   * The first row whose key is ≥ `key[start, end)`; `rows` when there is none. When that key is
   * equal, the result is its complement `~row` instead: one search tells both.
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
    // `low` is the first row whose head is ≥: rows of equal heads may follow, in order.
    low -= HEADS
    if (low === rows || table[low + HEADS] !== head) return low
    // A suffix that fits into the head is equal if its length is.
    if (this.suffixLength === end - suffix && end - suffix <= 4) return ~low
    const order = this.#compareSuffix(low, key, suffix, end)
    if (order >= 0) return order === 0 ? ~low : low
    return this.#searchEqualHeads(low, head, key, suffix, end)
  }

  /** Goes on after `last`, which has the head but a smaller key: by galloping, then by halves. */
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

  /** Whether a row, none of whose heads are smaller, has a smaller key. */
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

/** The head of `bytes[start, end)` as `DataBlock.table` has it. */
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
