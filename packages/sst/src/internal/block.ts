import { compareRanges } from '@firn/bytes'

// Sized's share of a decoded block besides its bytes: four objects with their headers.
const OBJECT_BYTES = 320

/**
 * A data block as it is held in memory: its raw bytes, validated once, and what binary search
 * needs, in typed arrays. Row numbers and offsets below need no more checks.
 */
export class DataBlock {
  readonly bytes: Uint8Array
  readonly rows: number
  readonly prefixStart: number
  readonly prefixLength: number
  /**
   * Three columns in one array, so that a block costs one allocation: `rows` heads, `rows + 1` key
   * offsets, `rows + 1` value offsets. A head is the first four bytes of a key's suffix, big
   * endian, zero padded, with the top bit flipped: signed order is then byte order. Offsets point
   * into `bytes`.
   */
  readonly table: Int32Array
  /** Whether two rows have the same key. */
  readonly duplicates: boolean
  /** Each row's timestamp, where they differ. */
  readonly timestamps: Float64Array | undefined
  readonly minTimestamp: number
  readonly maxTimestamp: number
  /** The kind of every row, or -1 where they differ: then a column of bytes is at `kindsStart`. */
  readonly kind: number
  readonly kindsStart: number
  readonly memoryBytes: number

  constructor(
    bytes: Uint8Array,
    rows: number,
    prefixStart: number,
    prefixLength: number,
    table: Int32Array,
    duplicates: boolean,
    timestamps: Float64Array | undefined,
    minTimestamp: number,
    maxTimestamp: number,
    kind: number,
    kindsStart: number,
  ) {
    this.bytes = bytes
    this.rows = rows
    this.prefixStart = prefixStart
    this.prefixLength = prefixLength
    this.table = table
    this.duplicates = duplicates
    this.timestamps = timestamps
    this.minTimestamp = minTimestamp
    this.maxTimestamp = maxTimestamp
    this.kind = kind
    this.kindsStart = kindsStart
    this.memoryBytes =
      bytes.byteLength + table.byteLength + (timestamps?.byteLength ?? 0) + OBJECT_BYTES
  }

  /**
   * The first row whose key is ≥ `key[start, end)`; `rows` when there is none. When that key is
   * equal, the result is its complement `~row` instead: one search tells both.
   */
  search(key: Uint8Array, start: number, end: number): number {
    const bytes = this.bytes
    const rows = this.rows
    const prefixLength = this.prefixLength
    const suffix = start + prefixLength
    const prefixEnd = suffix < end ? suffix : end
    // `as number` in this method: rows and offsets were validated when the block was decoded, key
    // positions stay below `end`.
    for (let i = start, j = this.prefixStart; i < prefixEnd; i++, j++) {
      if (key[i] !== bytes[j]) return (key[i] as number) < (bytes[j] as number) ? 0 : rows
    }
    if (end < suffix) return 0
    const head = headOf(key, suffix, end)
    const table = this.table
    let low = 0
    let high = rows
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((table[middle] as number) < head) low = middle + 1
      else high = middle
    }
    // `low` is the first row whose head is ≥: rows of equal heads may follow, in order.
    if (low === rows || table[low] !== head) return low
    let order = compareRanges(
      bytes,
      table[rows + low] as number,
      table[rows + low + 1] as number,
      key,
      suffix,
      end,
    )
    if (order === 0) return ~low
    if (order > 0) return low
    // The answer is after `low`; where rows with this head end is found by galloping.
    let step = 1
    let last = low
    let beyond = rows
    while (last + step < rows) {
      const row = last + step
      if (table[row] !== head) {
        beyond = row
        break
      }
      order = compareRanges(
        bytes,
        table[rows + row] as number,
        table[rows + row + 1] as number,
        key,
        suffix,
        end,
      )
      if (order >= 0) {
        beyond = row
        break
      }
      last = row
      step *= 2
    }
    // Rows up to `last` are less; the row `beyond`, if there is one, is not less.
    low = last + 1
    high = beyond
    while (low < high) {
      const middle = (low + high) >>> 1
      const less =
        (table[middle] as number) < head ||
        (table[middle] === head &&
          compareRanges(
            bytes,
            table[rows + middle] as number,
            table[rows + middle + 1] as number,
            key,
            suffix,
            end,
          ) < 0)
      if (less) low = middle + 1
      else high = middle
    }
    if (low === rows || table[low] !== head) return low
    order = compareRanges(
      bytes,
      table[rows + low] as number,
      table[rows + low + 1] as number,
      key,
      suffix,
      end,
    )
    return order === 0 ? ~low : low
  }

  /** Whether two rows of this block have the same key. */
  sameKey(row: number, other: number): boolean {
    const table = this.table
    const rows = this.rows
    return (
      table[row] === table[other] &&
      compareRanges(
        this.bytes,
        table[rows + row] as number,
        table[rows + row + 1] as number,
        this.bytes,
        table[rows + other] as number,
        table[rows + other + 1] as number,
      ) === 0
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
