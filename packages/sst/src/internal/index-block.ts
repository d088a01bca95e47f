import { compareRanges } from '@firn/bytes'
import { headOf } from './block.js'

/**
 * An index, or one partition of it, in memory. For each child (a data block, or a partition if
 * `level` is 1) it holds the offset and a separator, which comes after everything before the child
 * and not after anything in it.
 *
 * A separator is a key, and also a timestamp if versions of that key continue from one child to the
 * next. The first child's separator is never used.
 */
export class IndexBlock {
  readonly level: number
  readonly count: number
  /** The ordinal of the first child among all children of the level. */
  readonly first: number
  /** The prefix that all separators but the first share. */
  readonly prefix: Uint8Array
  /**
   * Two words for each separator: bytes 0 to 3 and 4 to 7 after the prefix, encoded like block
   * heads. Interleaved, so that a step of the search touches one cache line.
   */
  readonly heads: Int32Array
  /** Start of each separator's suffix (after the prefix) in `suffixes`; then their end. */
  readonly suffixOffsets: Int32Array
  readonly suffixes: Uint8Array
  /** Offset of each child in the file; the last entry is the end of the last child. */
  readonly offsets: Float64Array
  /** Timestamps of separators; Infinity for one without. Undefined if none has a timestamp. */
  readonly timestamps: Float64Array | undefined
  readonly memoryBytes: number

  constructor(
    level: number,
    first: number,
    prefix: Uint8Array,
    suffixes: Uint8Array,
    suffixOffsets: Int32Array,
    offsets: Float64Array,
    timestamps: Float64Array | undefined,
  ) {
    this.level = level
    this.first = first
    this.count = offsets.length - 1
    this.prefix = prefix
    this.suffixes = suffixes
    this.suffixOffsets = suffixOffsets
    this.offsets = offsets
    this.timestamps = timestamps
    this.heads = new Int32Array(this.count * 2)
    for (let i = 1; i < this.count; i++) {
      // `as number` in this class: separators and offsets were validated when it was decoded.
      const start = suffixOffsets[i] as number
      const end = suffixOffsets[i + 1] as number
      this.heads[2 * i] = headOf(suffixes, start, end)
      this.heads[2 * i + 1] = headOf(suffixes, Math.min(start + 4, end), end)
    }
    this.memoryBytes =
      320 +
      prefix.byteLength +
      suffixes.byteLength +
      suffixOffsets.byteLength +
      offsets.byteLength +
      this.heads.byteLength +
      (timestamps?.byteLength ?? 0)
  }

  /**
   * Whether every separator comes after the one before it, as searches require. Heads nearly always
   * decide. Comparing whole separators, in code that runs for the first time, took 3 ms of an open.
   */
  isInOrder(): boolean {
    const { heads } = this
    for (let i = 2; i < this.count; i++) {
      // `as number`: two heads for each separator.
      const before = heads[2 * i - 2] as number
      const head = heads[2 * i] as number
      if (head > before) continue
      if (head < before) return false
      const rest = (heads[2 * i + 1] as number) - (heads[2 * i - 1] as number)
      if (rest > 0) continue
      if (rest < 0 || !this.#comesAfterPrevious(i)) return false
    }
    return true
  }

  #comesAfterPrevious(child: number): boolean {
    const { suffixes, suffixOffsets, timestamps } = this
    // `as number`: each separator has an offset, and so does the end of the last one.
    const start = suffixOffsets[child - 1] as number
    const middle = suffixOffsets[child] as number
    const end = suffixOffsets[child + 1] as number
    const order = compareRanges(suffixes, start, middle, suffixes, middle, end)
    if (order !== 0) return order < 0
    return (
      timestamps !== undefined && (timestamps[child] as number) < (timestamps[child - 1] as number)
    )
  }

  /**
   * Returns the last child whose separator isn't after (key, timestamp) in internal order. The
   * first record at or after that point is in this child, or right after it. The timestamp
   * `Infinity` comes before all versions of the key, -1 after all.
   */
  search(key: Uint8Array, start: number, end: number, timestamp: number): number {
    const prefix = this.prefix
    const prefixLength = prefix.length
    const suffix = start + prefixLength
    const prefixEnd = Math.min(suffix, end)
    for (let i = start, j = 0; i < prefixEnd; i++, j++) {
      if (key[i] !== prefix[j]) {
        return (key[i] as number) < (prefix[j] as number) ? 0 : this.count - 1
      }
    }
    if (end < suffix) return 0
    const high = headOf(key, suffix, end)
    const low = headOf(key, Math.min(suffix + 4, end), end)
    const heads = this.heads
    // The first separator from 1 on whose eight bytes are ≥ the key's.
    let from = 1
    let to = this.count
    while (from < to) {
      const middle = (from + to) >>> 1
      const word = heads[2 * middle] as number
      if (word < high || (word === high && (heads[2 * middle + 1] as number) < low)) {
        from = middle + 1
      } else {
        to = middle
      }
    }
    // Compare separators with equal eight bytes whole.
    to = this.count
    if (from < to && heads[2 * from] === high && heads[2 * from + 1] === low) {
      if (!this.#atOrBefore(from, key, suffix, end, timestamp)) return from - 1
      // `from` is at or before the key. Gallop, then bisect.
      let step = 1
      while (from + step < to && this.#atOrBefore(from + step, key, suffix, end, timestamp)) {
        from += step
        step *= 2
      }
      to = Math.min(to, from + step)
      while (from + 1 < to) {
        const middle = (from + to) >>> 1
        if (this.#atOrBefore(middle, key, suffix, end, timestamp)) from = middle
        else to = middle
      }
      return from
    }
    return from - 1
  }

  /**
   * Compares a child's separator with a record, in internal order. Positive if the record comes
   * before the separator. Not for the first child, which has no separator.
   */
  compareSeparator(child: number, key: Uint8Array, timestamp: number): number {
    const prefixLength = this.prefix.length
    const common = Math.min(prefixLength, key.length)
    const order = compareRanges(this.prefix, 0, prefixLength, key, 0, common)
    if (order !== 0) return order
    const start = this.suffixOffsets[child] as number
    const end = this.suffixOffsets[child + 1] as number
    const rest = compareRanges(this.suffixes, start, end, key, prefixLength, key.length)
    if (rest !== 0) return rest
    const own = this.timestamps?.[child] ?? Number.POSITIVE_INFINITY
    return own > timestamp ? -1 : own < timestamp ? 1 : 0
  }

  #atOrBefore(
    child: number,
    key: Uint8Array,
    suffix: number,
    end: number,
    timestamp: number,
  ): boolean {
    const order = compareRanges(
      this.suffixes,
      this.suffixOffsets[child] as number,
      this.suffixOffsets[child + 1] as number,
      key,
      suffix,
      end,
    )
    if (order !== 0) return order < 0
    return this.timestamps === undefined || timestamp <= (this.timestamps[child] as number)
  }
}
