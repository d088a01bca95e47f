import { compareRanges } from '@firn/bytes'
import { CorruptionError, FormatVersionError } from '@firn/env'
import { MAX_KIND } from '@firn/mvcc'
import { DataBlock, HEADS, headOf } from './block.js'
import * as layout from './block-layout.js'
import { getU32, getU64 } from './envelope.js'
import { MAX_BLOCK_ROWS, MAX_KEY_BYTES } from './format.js'
import { columnWidth, readLengths } from './length-column.js'

/**
 * Decodes the raw bytes of a data block and checks everything that searches and cursors rely on:
 * columns fill the block exactly, offsets are in bounds and in order, keys and timestamps are in
 * order, kinds are known. Later accesses need no checks.
 *
 * `fileTimestamp` is the timestamp of all records if the file stores none; otherwise undefined.
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
  if (rows === 0 || rows > MAX_BLOCK_ROWS) throw fail(`${rows} rows, not 1 to ${MAX_BLOCK_ROWS}`)
  if (prefixLength > MAX_KEY_BYTES) throw fail('its common prefix is over the limit of keys')
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
  if (values + valueBytes !== bytes.length) throw fail("its parts don't add up to its length")

  const ownTimestamps = timestampWidth > 0
  const keysAt = HEADS + rows
  const valuesAt = keysAt + rows + 1
  const timestampsAt = valuesAt + rows + 1
  const table = new Int32Array(timestampsAt + (ownTimestamps ? 2 * rows : 0))
  readLengths(bytes, keyLengths, widths & 3, rows, suffixBytes, suffixes, table, keysAt, fail)
  readLengths(bytes, valueLengths, widths >>> 2, rows, valueBytes, values, table, valuesAt, fail)
  checkKinds(bytes, kindsStart, mixedKinds ? rows : 0, kind, where)
  if (fileTimestamp !== undefined && (ownTimestamps || maxTimestamp !== 0)) {
    throw fail('timestamps in a file that stores none')
  }
  putTimestamp(table, 0, fileTimestamp ?? minTimestamp)
  if (ownTimestamps) {
    readTimestamps(
      bytes,
      timestampsStart,
      timestampWidth,
      rows,
      minTimestamp,
      maxTimestamp,
      table,
      timestampsAt,
      fail,
    )
  }
  checkOrder(bytes, rows, prefixLength, table, ownTimestamps ? timestampsAt : -1, duplicates, fail)
  return new DataBlock(
    bytes,
    table,
    rows,
    prefixLength,
    keyWidth === 0 ? suffixBytes / rows : -1,
    valueWidth === 0 ? valueBytes / rows : -1,
    values,
    mixedKinds ? -1 : kind,
    kindsStart,
    ownTimestamps ? timestampsAt : -1,
    duplicates,
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

function putTimestamp(table: Int32Array, at: number, timestamp: number): void {
  table[at] = timestamp
  table[at + 1] = Math.floor(timestamp / 2 ** 32)
}

/** Fills in the column of timestamps, and checks that their range is exactly `min` to `max`. */
function readTimestamps(
  bytes: Uint8Array,
  start: number,
  width: number,
  rows: number,
  min: number,
  max: number,
  table: Int32Array,
  column: number,
  fail: (problem: string) => CorruptionError,
): void {
  let at = start
  let lowest = Number.POSITIVE_INFINITY
  let highest = 0
  for (let row = 0; row < rows; row++) {
    let value = 0
    // `as number`: the column lies within the bytes.
    for (let i = width - 1; i >= 0; i--) value = value * 256 + (bytes[at + i] as number)
    if (value < lowest) lowest = value
    if (value > highest) highest = value
    putTimestamp(table, column + 2 * row, min + value)
    at += width
  }
  if (lowest !== 0 || min + highest !== max) throw fail("timestamps don't match their bounds")
}

/** Fills in the heads, and checks the order of rows: keys ascending, then timestamps descending. */
function checkOrder(
  bytes: Uint8Array,
  rows: number,
  prefixLength: number,
  table: Int32Array,
  timestampsAt: number,
  duplicates: boolean,
  fail: (problem: string) => CorruptionError,
): void {
  let before = 0
  let start = table[HEADS + rows] as number
  let beforeStart = start
  let equal = false
  let longest = 0
  for (let row = 0; row < rows; row++) {
    const end = table[HEADS + rows + row + 1] as number
    const head = headOf(bytes, start, end)
    table[HEADS + row] = head
    if (end - start > longest) longest = end - start
    if (row > 0 && head <= before) {
      const order = head < before ? 1 : compareRanges(bytes, beforeStart, start, bytes, start, end)
      if (order > 0) throw fail('keys are out of order')
      if (order === 0) {
        equal = true
        if (timestampsAt < 0 || !descends(table, timestampsAt + 2 * row)) {
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

/** Whether the timestamp at `at` is less than the one before it. */
function descends(table: Int32Array, at: number): boolean {
  // `as number`: both are in the column.
  const high = table[at + 1] as number
  const highBefore = table[at - 1] as number
  return (
    high < highBefore ||
    (high === highBefore && (table[at] as number) >>> 0 < (table[at - 2] as number) >>> 0)
  )
}
