import { ByteWriter, commonPrefixLength } from '@firn/bytes'
import { columnWidth, widthCode } from './length-column.js'

/** Length of an index block's header, before the prefix. */
export const INDEX_HEADER_BYTES = 32
/** Some separators have timestamps, which a column holds. */
export const INDEX_FLAG_TIMESTAMPS = 1

// Rough size of an entry in a block, without its separator.
const ENTRY_BYTES = 4

/** Collects the children of one level of the index, and builds blocks of ranges of them. */
export class IndexBuilder {
  readonly #level: number
  readonly #separators = new ByteWriter(1024)
  readonly #ends: number[] = []
  readonly #timestamps: number[] = []
  /** Offset of each child in the file; the last entry is the end of the last child. */
  readonly #offsets: number[]

  /** `level` is that of the block's header, `offset` that of the first child in the file. */
  constructor(level: number, offset: number) {
    this.#level = level
    this.#offsets = [offset]
  }

  get count(): number {
    return this.#ends.length
  }

  /** Rough size of a block of all children. */
  get bytes(): number {
    return INDEX_HEADER_BYTES + this.#separators.length + this.count * ENTRY_BYTES
  }

  /**
   * Adds a child of `length` stored bytes. If its first record and the record before it both have
   * the separator's key, `timestamp` is that of the record before; otherwise 0.
   */
  add(separator: Uint8Array, timestamp: number, length: number): void {
    this.#offsets.push(this.#offset(this.count) + length)
    this.#separators.bytes(separator)
    this.#ends.push(this.#separators.length)
    this.#timestamps.push(timestamp)
  }

  /** The separator of a child, as a view that is valid until the next `add`. */
  separator(child: number): Uint8Array {
    return this.#separators.view().subarray(this.#ends[child - 1] ?? 0, this.#ends[child])
  }

  timestamp(child: number): number {
    return this.#timestamps[child] ?? 0
  }

  /** Cuts the children into blocks of some `bytes` each; returns the end of each block. */
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

  /** Builds the block of the children `[from, to)`. */
  build(from = 0, to: number = this.count): Uint8Array {
    const count = to - from
    // The first child's separator and its timestamp aren't stored.
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

  // `as number`: each child has an offset, and so does the end.
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
