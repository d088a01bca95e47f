import { compareRanges } from '@firn/bytes'
import { CorruptionError, FormatVersionError } from '@firn/env'
import { DataBlock, headOf } from './block.js'
import * as layout from './block-layout.js'
import { getU32, getU64 } from './envelope.js'
import { MAX_BLOCK_ROWS, MAX_KEY_BYTES, MAX_KIND } from './format.js'
import { columnWidth, readLengths } from './length-column.js'

/**
 * Decodes the raw bytes of a data block and checks everything that searches and cursors rely on:
 * that columns fill the block exactly, offsets are in bounds and in order, keys and timestamps are
 * in order, kinds are known. After that no access needs a check.
 *
 * `fileTimestamp` is every record's timestamp where the file stores none (undefined where it does).
 */
export function decodeBlock(
  bytes: Uint8Array,
  fileTimestamp: number | undefined,
  where: string,
): DataBlock {
  const fail = (problem: string) => new CorruptionError(`${where}: ${problem}`)
  if (bytes.length < layout.BLOCK_HEADER_BYTES) throw fail('too short for a data block')
  // `as number`: the header is there.
  const flags = bytes[layout.AT_FLAGS] as number
  const widths = bytes[layout.AT_WIDTHS] as number
  const kind = bytes[layout.AT_KIND] as number
  const timestampWidth = bytes[layout.AT_TIMESTAMP_WIDTH] as number
  const rows = getU32(bytes, layout.AT_ROWS)
  const prefixLength = getU32(bytes, layout.AT_PREFIX_BYTES)
  const suffixBytes = getU32(bytes, layout.AT_SUFFIX_BYTES)
  const valueBytes = getU32(bytes, layout.AT_VALUE_BYTES)
  const minTimestamp = getU64(bytes, layout.AT_MIN_TIMESTAMP)
  const maxTimestamp = getU64(bytes, layout.AT_MAX_TIMESTAMP)
  if ((flags & ~layout.KNOWN_FLAGS) !== 0 || widths > 15) {
    throw new FormatVersionError(`${where}: a block layout that needs a newer release`)
  }
  const mixedKinds = (flags & layout.FLAG_KINDS) !== 0
  const duplicates = (flags & layout.FLAG_DUPLICATES) !== 0
  if (rows === 0 || rows > MAX_BLOCK_ROWS) throw fail(`${rows} rows`)
  if (prefixLength > MAX_KEY_BYTES) throw fail('a common prefix over the limit of keys')
  if (timestampWidth > 7) throw fail(`timestamps of ${timestampWidth} bytes`)
  if (minTimestamp < 0 || maxTimestamp < minTimestamp) throw fail('timestamps out of bounds')
  if (timestampWidth === 0 && minTimestamp !== maxTimestamp) throw fail('timestamps are missing')

  const keyWidth = columnWidth(widths)
  const valueWidth = columnWidth(widths >>> 2)
  const prefixStart = layout.BLOCK_HEADER_BYTES
  const keyLengths = prefixStart + prefixLength
  const valueLengths = keyLengths + rows * keyWidth
  const kindsStart = valueLengths + rows * valueWidth
  const timestampsStart = kindsStart + (mixedKinds ? rows : 0)
  const suffixes = timestampsStart + rows * timestampWidth
  const values = suffixes + suffixBytes
  if (values + valueBytes !== bytes.length) throw fail('its parts don’t fill it')

  const table = new Int32Array(3 * rows + 2)
  readLengths(bytes, keyLengths, widths & 3, rows, suffixBytes, suffixes, table, rows, fail)
  readLengths(bytes, valueLengths, widths >>> 2, rows, valueBytes, values, table, 2 * rows + 1, fail)
  checkKinds(bytes, kindsStart, mixedKinds ? rows : 0, kind, where)

  let timestamps: Float64Array | undefined
  if (fileTimestamp !== undefined) {
    if (timestampWidth > 0 || maxTimestamp !== 0) throw fail('timestamps in a file without')
  } else if (timestampWidth > 0) {
    timestamps = readTimestamps(bytes, timestampsStart, timestampWidth, rows, minTimestamp)
    checkTimestamps(timestamps, minTimestamp, maxTimestamp, fail)
  }
  checkOrder(bytes, rows, prefixLength, table, timestamps, duplicates, fail)
  return new DataBlock(
    bytes,
    rows,
    prefixStart,
    prefixLength,
    table,
    duplicates,
    timestamps,
    fileTimestamp ?? minTimestamp,
    fileTimestamp ?? maxTimestamp,
    mixedKinds ? -1 : kind,
    kindsStart,
  )
}

function checkKinds(
  bytes: Uint8Array,
  start: number,
  rows: number,
  single: number,
  where: string,
): void {
  let highest = single
  for (let i = start; i < start + rows; i++) {
    // `as number`: the column lies within the bytes.
    if ((bytes[i] as number) > highest) highest = bytes[i] as number
  }
  if (highest > MAX_KIND) {
    throw new FormatVersionError(`${where}: record kind ${highest} needs a newer release`)
  }
}

function readTimestamps(
  bytes: Uint8Array,
  start: number,
  width: number,
  rows: number,
  min: number,
): Float64Array {
  const timestamps = new Float64Array(rows)
  let at = start
  for (let row = 0; row < rows; row++) {
    let value = 0
    // `as number`: the column lies within the bytes.
    for (let i = width - 1; i >= 0; i--) value = value * 256 + (bytes[at + i] as number)
    timestamps[row] = min + value
    at += width
  }
  return timestamps
}

function checkTimestamps(
  timestamps: Float64Array,
  min: number,
  max: number,
  fail: (problem: string) => CorruptionError,
): void {
  let lowest = Number.POSITIVE_INFINITY
  let highest = 0
  for (let row = 0; row < timestamps.length; row++) {
    const timestamp = timestamps[row] as number
    if (timestamp < lowest) lowest = timestamp
    if (timestamp > highest) highest = timestamp
  }
  if (lowest !== min || highest !== max) throw fail('timestamps are not within their bounds')
}

/** Fills in the heads, and checks that rows are in order: key ascending, timestamp descending. */
function checkOrder(
  bytes: Uint8Array,
  rows: number,
  prefixLength: number,
  table: Int32Array,
  timestamps: Float64Array | undefined,
  duplicates: boolean,
  fail: (problem: string) => CorruptionError,
): void {
  let before = 0
  let start = table[rows] as number
  let beforeStart = start
  let equal = false
  let longest = 0
  for (let row = 0; row < rows; row++) {
    const end = table[rows + row + 1] as number
    const head = headOf(bytes, start, end)
    table[row] = head
    if (end - start > longest) longest = end - start
    if (row > 0 && head <= before) {
      const order =
        head < before ? 1 : compareRanges(bytes, beforeStart, start, bytes, start, end)
      if (order > 0) throw fail('keys are out of order')
      if (order === 0) {
        equal = true
        // `as number`: there is a timestamp for each row.
        if (
          timestamps === undefined ||
          (timestamps[row] as number) >= (timestamps[row - 1] as number)
        ) {
          throw fail('versions of a key are out of order')
        }
      }
    }
    before = head
    beforeStart = start
    start = end
  }
  if (equal !== duplicates) throw fail('its flags contradict its keys')
  if (prefixLength + longest > MAX_KEY_BYTES) throw fail('a key over the limit')
}
