import { CorruptionError, FormatVersionError } from '@firn/env'
import { KIND_DELETE, MAX_KIND } from '@firn/mvcc'

/** Called per record. `bytes` is the array that is being read; a delete's value range is empty. */
export type RecordVisitor = (
  tableId: number,
  kind: number,
  bytes: Uint8Array,
  keyStart: number,
  keyEnd: number,
  valueStart: number,
  valueEnd: number,
) => void

// Where the last varint ended: a second result of `readVarint32`, without allocating an object.
let next = 0
// More records than an array can hold, yet small enough for V8 to compare as an integer.
const ALL = 0x3fffffff
// How many records `readSomeRecords` visited.
let visited = 0

/**
 * Visits the records of a `records` edit in the order in which they were put, without allocating
 * per record. Returns their number. Throws `CorruptionError` for invalid bytes, after it visited
 * the records before them, and `FormatVersionError` for an unknown kind.
 */
export function readRecords(
  bytes: Uint8Array,
  visit: RecordVisitor,
  what = 'records of a commit log entry',
): number {
  readSomeRecords(bytes, 0, ALL, visit, what)
  return visited
}

/**
 * Visits up to `most` records, starting with the one at offset `from`. Returns the offset to go on
 * with: that of the next record, or the length of `bytes` after the last one. Otherwise behaves
 * like `readRecords`.
 */
export function readSomeRecords(
  bytes: Uint8Array,
  from: number,
  most: number,
  visit: RecordVisitor,
  what = 'records of a commit log entry',
): number {
  const end = bytes.length
  let at = from
  let records = 0
  while (at < end && records < most) {
    const start = at
    // Past the end this is `undefined`, for which none of these comparisons holds.
    let tableId = bytes[at] as number
    if (tableId < 0x80) at++
    else {
      tableId = readVarint32(bytes, at, what)
      at = next
    }
    if (tableId === 0) throw corrupt(what, 'a record of table 0', start)
    const kind = bytes[at++]
    if (kind === undefined) throw corrupt(what, 'a truncated record', start)
    if (kind > MAX_KIND) {
      throw new FormatVersionError(
        `${what}: a record of kind ${kind} at offset ${start} is unknown to this release; open the database with a newer release`,
      )
    }
    let keyLength = bytes[at] as number
    if (keyLength < 0x80) at++
    else {
      keyLength = readVarint32(bytes, at, what)
      at = next
    }
    let valueLength = 0
    if (kind !== KIND_DELETE) {
      valueLength = bytes[at] as number
      if (valueLength < 0x80) at++
      else {
        valueLength = readVarint32(bytes, at, what)
        at = next
      }
    }
    const keyEnd = at + keyLength
    const valueEnd = keyEnd + valueLength
    if (valueEnd > end) throw corrupt(what, 'a record that runs past the end', start)
    visit(tableId, kind, bytes, at, keyEnd, keyEnd, valueEnd)
    records++
    at = valueEnd
  }
  visited = records
  return at
}

/** Reads a varint below 2^32 in its shortest form; sets `next`. */
function readVarint32(bytes: Uint8Array, start: number, what: string): number {
  let value = 0
  let scale = 1
  for (let at = start; at < start + 5; at++, scale *= 0x80) {
    const byte = bytes[at]
    if (byte === undefined) throw corrupt(what, 'a truncated number', start)
    value += (byte & 0x7f) * scale
    if (byte >= 0x80) continue
    if ((byte === 0 && at > start) || value > 0xffffffff) break
    next = at + 1
    return value
  }
  throw corrupt(what, 'a number that is too long', start)
}

function corrupt(what: string, problem: string, offset: number): CorruptionError {
  return new CorruptionError(`${what}: ${problem}, at offset ${offset}`)
}
