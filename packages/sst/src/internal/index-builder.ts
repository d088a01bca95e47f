import { ByteWriter, commonPrefixLength } from '@firn/bytes'
import { columnWidth, widthCode } from './length-column.js'

/** Bytes before an index block's prefix. */
export const INDEX_HEADER_BYTES = 32
/** Separators may carry timestamps: a column holds them. */
export const INDEX_FLAG_TIMESTAMPS = 1

// What an entry takes in a block besides its separator, roughly.
const ENTRY_BYTES = 4

/** Gathers the children of one level of the index, and builds blocks over ranges of them. */
export class IndexBuilder {
  readonly #level: number
  readonly #separators = new ByteWriter(1024)
  readonly #ends: number[] = []
  readonly #timestamps: number[] = []
  /** Where each child ends in the file. */
  readonly #offsets: number[]

  /** `level` as in the block's header, `offset` where the first child begins in the file. */
  constructor(level: number, offset: number) {
    this.#level = level
    this.#offsets = [offset]
  }

  get count(): number {
    return this.#ends.length
  }

  /** Roughly the size of a block over all children. */
  get bytes(): number {
    return INDEX_HEADER_BYTES + this.#separators.length + this.count * ENTRY_BYTES
  }

  /**
   * Adds a child of `length` stored bytes. `timestamp` is that of the record before it when both
   * have the separator's key, else 0.
   */
  add(separator: Uint8Array, timestamp: number, length: number): void {
    this.#offsets.push(this.#offset(this.count) + length)
    this.#separators.bytes(separator)
    this.#ends.push(this.#separators.length)
    this.#timestamps.push(timestamp)
  }

  /** The separator of a child, as a view that the next `add` may end. */
  separator(child: number): Uint8Array {
    return this.#separators.view().subarray(this.#ends[child - 1] ?? 0, this.#ends[child])
  }

  timestamp(child: number): number {
    return this.#timestamps[child] ?? 0
  }

  /** Where blocks over some `bytes` each end: the numbers of children up to there. */
  cuts(bytes: number): number[] {
    const cuts: number[] = []
    let size = 0
    for (let child = 0; child < this.count; child++) {
      size += this.separator(child).length + ENTRY_BYTES
      if (size < bytes && child + 1 < this.count) continue
      cuts.push(child + 1)
      size = 0
    }
    return cuts
  }

  /** The block over the children `[from, to)`. */
  build(from = 0, to: number = this.count): Uint8Array {
    const count = to - from
    // The first child's separator isn't stored, nor is its timestamp.
    const first = count > 1 ? this.separator(from + 1) : EMPTY
    const last = count > 1 ? this.separator(to - 1) : EMPTY
    const prefix = commonPrefixLength(first, 0, first.length, last, 0, last.length)
    const lengths: number[] = []
    const suffixes: number[] = []
    let spans = false
    for (let child = from; child < to; child++) {
      lengths.push(this.#offset(child + 1) - this.#offset(child))
      suffixes.push(child === from ? 0 : this.separator(child).length - prefix)
      if (child > from && this.timestamp(child) !== 0) spans = true
    }
    const lengthCode = codeFor(lengths)
    const suffixCode = codeFor(suffixes)
    const writer = new ByteWriter(INDEX_HEADER_BYTES + count * 16)
    writer.u8(spans ? INDEX_FLAG_TIMESTAMPS : 0)
    writer.u8(lengthCode | (suffixCode << 2))
    writer.u8(this.#level)
    writer.u8(0)
    writer.u32(count)
    writer.u32(from)
    writer.u32(prefix)
    writer.u64(this.#offset(from))
    writer.u64(this.#offset(to) - this.#offset(from))
    writer.range(first, 0, prefix)
    putColumn(writer, lengths, lengthCode)
    putColumn(writer, suffixes, suffixCode)
    if (spans) {
      for (let child = from; child < to; child++) {
        writer.u64(child === from ? 0 : this.timestamp(child))
      }
    }
    for (let child = from + 1; child < to; child++) {
      const separator = this.separator(child)
      writer.range(separator, prefix, separator.length)
    }
    return writer.take()
  }

  // `as number`: there is an offset for each child and for the end.
  #offset(child: number): number {
    return this.#offsets[child] as number
  }
}

const EMPTY = new Uint8Array(0)

function codeFor(lengths: readonly number[]): number {
  let min = Number.POSITIVE_INFINITY
  let max = 0
  for (const length of lengths) {
    if (length < min) min = length
    if (length > max) max = length
  }
  return lengths.length === 0 ? 0 : widthCode(min, max)
}

function putColumn(writer: ByteWriter, lengths: readonly number[], code: number): void {
  const width = columnWidth(code)
  if (width === 0) return
  for (const length of lengths) {
    if (width === 1) writer.u8(length)
    else if (width === 2) writer.u16(length)
    else writer.u32(length)
  }
}
