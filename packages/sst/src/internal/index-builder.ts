import { ByteWriter, commonPrefixLength } from '@firn/bytes'
import { columnWidth, widthCode } from './length-column.js'

/** Bytes before an index block's prefix. */
export const INDEX_HEADER_BYTES = 32
/** Separators may carry timestamps: a column holds them. */
export const INDEX_FLAG_TIMESTAMPS = 1

// What an entry takes in memory and on disk besides its separator, roughly.
const ENTRY_BYTES = 8

/** Gathers the entries of one index block: children that follow each other in the file. */
export class IndexBuilder {
  readonly level: number
  readonly #first: number
  readonly #offset: number
  readonly #separators: Uint8Array[] = []
  readonly #timestamps: number[] = []
  readonly #lengths: number[] = []
  #separatorBytes = 0
  #spans = false

  /** `first` is the ordinal of the first child, `offset` where it begins in the file. */
  constructor(level: number, first: number, offset: number) {
    this.level = level
    this.#first = first
    this.#offset = offset
  }

  get count(): number {
    return this.#lengths.length
  }

  /** Roughly the size of the block. */
  get bytes(): number {
    return INDEX_HEADER_BYTES + this.#separatorBytes + this.count * ENTRY_BYTES
  }

  /** The first child's separator: for the level above. */
  get firstSeparator(): Uint8Array {
    return this.#separators[0] ?? new Uint8Array(0)
  }

  get firstTimestamp(): number {
    return this.#timestamps[0] ?? 0
  }

  /**
   * Adds a child of `length` stored bytes. `timestamp` is that of the record before it when both
   * have the separator's key, else 0.
   */
  add(separator: Uint8Array, timestamp: number, length: number): void {
    this.#separators.push(separator)
    this.#timestamps.push(timestamp)
    this.#lengths.push(length)
    this.#separatorBytes += separator.length
    // The first entry's separator isn't stored, nor is its timestamp.
    if (timestamp !== 0 && this.count > 1) this.#spans = true
  }

  build(): Uint8Array {
    const count = this.count
    const separators = this.#separators.slice(1)
    const first = separators[0] ?? new Uint8Array(0)
    const last = separators[separators.length - 1] ?? first
    const prefix = commonPrefixLength(first, 0, first.length, last, 0, last.length)
    const suffixLengths = separators.map((separator) => separator.length - prefix)
    // The first separator is stored as nothing.
    if (count > 0) suffixLengths.unshift(0)
    const lengthCode = codeFor(this.#lengths)
    const suffixCode = codeFor(suffixLengths)
    const writer = new ByteWriter(this.bytes * 2)
    writer.u8(this.#spans ? INDEX_FLAG_TIMESTAMPS : 0)
    writer.u8(lengthCode | (suffixCode << 2))
    writer.u8(this.level)
    writer.u8(0)
    writer.u32(count)
    writer.u32(this.#first)
    writer.u32(prefix)
    writer.u64(this.#offset)
    writer.u64(this.#lengths.reduce((sum, length) => sum + length, 0))
    writer.range(first, 0, prefix)
    putColumn(writer, this.#lengths, lengthCode)
    putColumn(writer, suffixLengths, suffixCode)
    if (this.#spans) {
      this.#timestamps.forEach((timestamp, i) => {
        writer.u64(i === 0 ? 0 : timestamp)
      })
    }
    for (const separator of separators) writer.range(separator, prefix, separator.length)
    return writer.take()
  }
}

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
