import { MAX_TIMESTAMP } from '@firn/mvcc'
import * as layout from './block-layout.js'
import { BLOCK_HEADER_BYTES, FLAG_DUPLICATES, FLAG_KINDS } from './block-layout.js'
import { putU32, putU64 } from './envelope.js'
import { MAX_BLOCK_ROWS } from './format.js'
import { columnWidth, widthCode, writeLengths } from './length-column.js'

// Up to this many bytes a loop beats `set` with the view it needs.
const SHORT_COPY = 48

/**
 * Collects the rows of one data block and lays them out. The writer has checked order and limits.
 * Keys stay whole until the block is built: only then is their common prefix known.
 */
export class BlockBuilder {
  rows = 0
  /** All keys so far, one after another. The last one is the writer's previous key. */
  keys: Uint8Array = new Uint8Array(16 * 1024)
  /** Start of each key in `keys`; entry `rows` is the end of the last one. */
  keyOffsets: Uint32Array = new Uint32Array(513)
  values: Uint8Array = new Uint8Array(16 * 1024)
  valueOffsets: Uint32Array = new Uint32Array(513)
  kinds: Uint8Array = new Uint8Array(512)
  timestamps: Float64Array = new Float64Array(512)
  /** Length of the prefix that all keys so far share. */
  prefixLength = 0
  minTimestamp: number = MAX_TIMESTAMP
  maxTimestamp = 0
  /** The block as laid out by `build`, and a view of the same buffer. */
  raw: Uint8Array = new Uint8Array(32 * 1024)
  view: DataView = new DataView(this.raw.buffer)

  #mixedKinds = false
  #duplicates = false
  #minKey = 0
  #maxKey = 0
  #minValue = 0
  #maxValue = 0

  /** Rough size of the block with one more row, before compression. */
  sizeWith(shared: number, keyLength: number, valueLength: number): number {
    const rows = this.rows
    if (rows === 0) return BLOCK_HEADER_BYTES + keyLength + valueLength
    const prefix = Math.min(shared, this.prefixLength)
    const keyBytes = (this.keyOffsets[rows] as number) + keyLength
    const valueBytes = (this.valueOffsets[rows] as number) + valueLength
    return BLOCK_HEADER_BYTES + keyBytes - rows * prefix + valueBytes + 4 * (rows + 1)
  }

  get full(): boolean {
    return this.rows === MAX_BLOCK_ROWS
  }

  /** Adds a row that shares the first `shared` bytes of its key with the row before (-1: all). */
  add(
    shared: number,
    keyBytes: Uint8Array,
    keyStart: number,
    keyEnd: number,
    timestamp: number,
    kind: number,
    valueBytes: Uint8Array,
    valueStart: number,
    valueEnd: number,
  ): void {
    const row = this.rows
    const keyLength = keyEnd - keyStart
    const valueLength = valueEnd - valueStart
    if (row === 0) {
      this.prefixLength = this.#minKey = this.#maxKey = keyLength
      this.#minValue = this.#maxValue = valueLength
    } else {
      if (row === this.kinds.length) this.#growRows()
      if (shared < 0) this.#duplicates = true
      else if (shared < this.prefixLength) this.prefixLength = shared
      if (keyLength < this.#minKey) this.#minKey = keyLength
      if (keyLength > this.#maxKey) this.#maxKey = keyLength
      if (valueLength < this.#minValue) this.#minValue = valueLength
      if (valueLength > this.#maxValue) this.#maxValue = valueLength
      if (kind !== this.kinds[0]) this.#mixedKinds = true
    }
    // `as number`: rows + 1 offsets always exist.
    let to = this.keyOffsets[row] as number
    if (to + keyLength > this.keys.length) this.keys = grown(this.keys, to, to + keyLength)
    if (keyLength > SHORT_COPY) this.keys.set(keyBytes.subarray(keyStart, keyEnd), to)
    else for (let i = keyStart, j = to; i < keyEnd; i++, j++) this.keys[j] = keyBytes[i] as number
    this.keyOffsets[row + 1] = to + keyLength

    to = this.valueOffsets[row] as number
    if (to + valueLength > this.values.length) {
      this.values = grown(this.values, to, to + valueLength)
    }
    if (valueLength > SHORT_COPY) this.values.set(valueBytes.subarray(valueStart, valueEnd), to)
    else {
      for (let i = valueStart, j = to; i < valueEnd; i++, j++) {
        this.values[j] = valueBytes[i] as number
      }
    }
    this.valueOffsets[row + 1] = to + valueLength

    this.kinds[row] = kind
    this.timestamps[row] = timestamp
    if (timestamp < this.minTimestamp) this.minTimestamp = timestamp
    if (timestamp > this.maxTimestamp) this.maxTimestamp = timestamp
    this.rows = row + 1
  }

  /** Lays the rows out in `raw` and returns their length there. */
  build(): number {
    const rows = this.rows
    const prefix = this.prefixLength
    // `as number` in this method: all indexes are at most `rows`.
    const suffixBytes = (this.keyOffsets[rows] as number) - rows * prefix
    const valueBytes = this.valueOffsets[rows] as number
    const keyCode = widthCode(this.#minKey, this.#maxKey)
    const valueCode = widthCode(this.#minValue, this.#maxValue)
    const range = this.maxTimestamp - this.minTimestamp
    const timestampWidth = bytesFor(range)
    const columns = columnWidth(keyCode) + columnWidth(valueCode) + timestampWidth + 1
    const most = BLOCK_HEADER_BYTES + prefix + rows * columns + suffixBytes + valueBytes
    if (most > this.raw.length) {
      this.raw = new Uint8Array(Math.max(most, this.raw.length * 2))
      this.view = new DataView(this.raw.buffer)
    }
    const raw = this.raw
    raw[layout.AT_FLAGS] =
      (this.#duplicates ? FLAG_DUPLICATES : 0) | (this.#mixedKinds ? FLAG_KINDS : 0)
    raw[layout.AT_WIDTHS] = keyCode | (valueCode << 2)
    raw[layout.AT_KIND] = this.#mixedKinds ? 0 : (this.kinds[0] as number)
    raw[layout.AT_TIMESTAMP_WIDTH] = timestampWidth
    putU32(raw, layout.AT_ROWS, rows)
    putU32(raw, layout.AT_PREFIX_BYTES, prefix)
    putU32(raw, layout.AT_SUFFIX_BYTES, suffixBytes)
    putU32(raw, layout.AT_VALUE_BYTES, valueBytes)
    putU64(raw, layout.AT_MIN_TIMESTAMP, this.minTimestamp)
    putU64(raw, layout.AT_MAX_TIMESTAMP, this.maxTimestamp)
    let at = BLOCK_HEADER_BYTES
    raw.set(this.keys.subarray(0, prefix), at)
    at = writeLengths(this.keyOffsets, prefix, keyCode, rows, raw, at + prefix)
    at = writeLengths(this.valueOffsets, 0, valueCode, rows, raw, at)
    if (this.#mixedKinds) {
      raw.set(this.kinds.subarray(0, rows), at)
      at += rows
    }
    if (timestampWidth > 0) at = this.#putTimestamps(raw, at, timestampWidth)
    const keys = this.keys
    for (let row = 0; row < rows; row++) {
      const end = this.keyOffsets[row + 1] as number
      for (let i = (this.keyOffsets[row] as number) + prefix; i < end; i++) {
        raw[at++] = keys[i] as number
      }
    }
    raw.set(this.values.subarray(0, valueBytes), at)
    return at + valueBytes
  }

  /** Removes the rows. Keeps the buffers, except those that an outsized row needed. */
  reset(): void {
    this.rows = 0
    this.#mixedKinds = false
    this.#duplicates = false
    this.minTimestamp = MAX_TIMESTAMP
    this.maxTimestamp = 0
    if (this.values.length > KEPT_BYTES) this.values = new Uint8Array(16 * 1024)
    if (this.raw.length > 2 * KEPT_BYTES) {
      this.raw = new Uint8Array(32 * 1024)
      this.view = new DataView(this.raw.buffer)
    }
  }

  #putTimestamps(raw: Uint8Array, at: number, width: number): number {
    const min = this.minTimestamp
    let out = at
    for (let row = 0; row < this.rows; row++) {
      let rest = (this.timestamps[row] as number) - min
      for (let i = 0; i < width; i++) {
        raw[out++] = rest % 256
        rest = Math.floor(rest / 256)
      }
    }
    return out
  }

  #growRows(): void {
    const rows = this.kinds.length
    const offsets = (old: Uint32Array) => {
      const larger = new Uint32Array(rows * 2 + 1)
      larger.set(old)
      return larger
    }
    this.keyOffsets = offsets(this.keyOffsets)
    this.valueOffsets = offsets(this.valueOffsets)
    const kinds = new Uint8Array(rows * 2)
    kinds.set(this.kinds)
    this.kinds = kinds
    const timestamps = new Float64Array(rows * 2)
    timestamps.set(this.timestamps)
    this.timestamps = timestamps
  }
}

// Larger buffers are released after the block that needed them.
const KEPT_BYTES: number = 4 * 1024 * 1024

/** Number of bytes that hold a number below 2^53; 0 bytes hold 0. */
function bytesFor(value: number): number {
  let bytes = 0
  for (let rest = value; rest > 0; rest = Math.floor(rest / 256)) bytes++
  return bytes
}

function grown(old: Uint8Array, used: number, needed: number): Uint8Array {
  const larger = new Uint8Array(Math.max(needed, old.length * 2))
  larger.set(old.subarray(0, used))
  return larger
}
