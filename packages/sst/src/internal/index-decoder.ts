import { CorruptionError, FormatVersionError } from '@firn/env'
import { getU32, getU64 } from './envelope.js'
import { MAX_KEY_BYTES } from './format.js'
import { IndexBlock } from './index-block.js'
import { INDEX_FLAG_TIMESTAMPS, INDEX_HEADER_BYTES } from './index-builder.js'
import { columnWidth, readLengths } from './length-column.js'

/** Facts that an index block must agree with. */
export interface IndexBounds {
  /** 0 for an index of data blocks, 1 for one of partitions. */
  readonly level: number
  /** The ordinal of the first child. */
  readonly first: number
  /** Number of children. */
  readonly count: number
  /** The children are within `[start, end)` of the file. */
  readonly start: number
  readonly end: number
}

/** Decodes an index block and checks everything that searches rely on. */
export function decodeIndex(bytes: Uint8Array, bounds: IndexBounds, where: string): IndexBlock {
  const fail = (problem: string) => new CorruptionError(`${where}: ${problem}`)
  if (bytes.length < INDEX_HEADER_BYTES) throw fail('too short for an index')
  // `as number`: the header is there.
  const flags = bytes[0] as number
  const widths = bytes[1] as number
  if ((flags & ~INDEX_FLAG_TIMESTAMPS) !== 0 || widths > 15 || bytes[3] !== 0) {
    throw new FormatVersionError(`${where}: an index layout that needs a newer release`)
  }
  const count = getU32(bytes, 4)
  const first = getU32(bytes, 8)
  const prefixLength = getU32(bytes, 12)
  const offset = getU64(bytes, 16)
  const total = getU64(bytes, 24)
  if (bytes[2] !== bounds.level) throw fail(`level ${bytes[2]}, not ${bounds.level}`)
  if (first !== bounds.first) throw fail(`begins with child ${first}, not ${bounds.first}`)
  if (count !== bounds.count) throw fail(`${count} children, not ${bounds.count}`)
  if (prefixLength > MAX_KEY_BYTES) throw fail('its prefix is over the limit of keys')
  if (offset < bounds.start || total < 0 || offset + total > bounds.end) {
    throw fail('its children are out of bounds')
  }
  const spans = (flags & INDEX_FLAG_TIMESTAMPS) !== 0
  const lengthsAt = INDEX_HEADER_BYTES + prefixLength
  const suffixLengthsAt = lengthsAt + count * columnWidth(widths)
  const timestampsAt = suffixLengthsAt + count * columnWidth(widths >>> 2)
  const suffixesAt = timestampsAt + (spans ? count * 8 : 0)
  if (suffixesAt > bytes.length) throw fail("its parts don't fit")

  const offsets = readOffsets(bytes, lengthsAt, widths & 3, count, offset, total, fail)
  const suffixes = bytes.slice(suffixesAt)
  const suffixOffsets = new Int32Array(count + 1)
  readLengths(
    bytes,
    suffixLengthsAt,
    widths >>> 2,
    count,
    suffixes.length,
    0,
    suffixOffsets,
    0,
    fail,
  )
  if (count > 0 && suffixOffsets[1] !== 0) throw fail('its first separator is not empty')
  const timestamps = spans ? readSpans(bytes, timestampsAt, count, fail) : undefined
  const index = new IndexBlock(
    bounds.level,
    first,
    bytes.slice(INDEX_HEADER_BYTES, lengthsAt),
    suffixes,
    suffixOffsets,
    offsets,
    timestamps,
  )
  if (!index.isInOrder()) throw fail('separators are out of order')
  return index
}

/** Turns lengths of stored blocks into offsets in the file, which can exceed 2^32. */
function readOffsets(
  bytes: Uint8Array,
  at: number,
  code: number,
  count: number,
  first: number,
  total: number,
  fail: (problem: string) => CorruptionError,
): Float64Array {
  const offsets = new Float64Array(count + 1)
  const width = columnWidth(code)
  let offset = first
  offsets[0] = offset
  for (let i = 0; i < count; i++) {
    let length = 0
    if (width === 0) length = total / count
    // `as number`: the column lies within the bytes.
    for (let j = width - 1; j >= 0; j--)
      length = length * 256 + (bytes[at + i * width + j] as number)
    if (length === 0 || length !== Math.floor(length)) throw fail('a child has no valid length')
    offset += length
    offsets[i + 1] = offset
  }
  if (offset !== first + total) throw fail("its children's lengths don't add up")
  return offsets
}

function readSpans(
  bytes: Uint8Array,
  at: number,
  count: number,
  fail: (problem: string) => CorruptionError,
): Float64Array {
  const timestamps = new Float64Array(count)
  for (let i = 0; i < count; i++) {
    const before = getU64(bytes, at + i * 8)
    if (before < 0) throw fail('a timestamp out of bounds')
    // A separator comes right after the record before its child.
    timestamps[i] = before === 0 ? Number.POSITIVE_INFINITY : before - 1
  }
  return timestamps
}
