import { crc32, utf8Encode } from '@firn/bytes'
import {
  CorruptionError,
  FormatVersionError,
  ULID_BYTES,
  ulidFromBytes,
  ulidToBytes,
} from '@firn/env'
import type { LogEntry } from '../commit-log.js'
import { isTimestamp } from './entry-checks.js'
import { getU32, getU64, putU32, putU64 } from './little-endian.js'

// The format of an entry stored as an object: FORMAT.md, "Entry object".

const MAGIC = Uint8Array.of(0x46, 0x49, 0x52, 0x4e, 0x45, 0x4e, 0x54, 0x0a) // "FIRNENT\n"
const FORMAT = 1
export const ENTRY_HEADER_BYTES = 56
const CHECKED_BYTES = 52
const TOKEN_AT = 32

const KIND_ENTRY = 1
const KIND_TOMBSTONE = 2

/** Encodes an entry as an object; its checksums are valid for this key only. */
export function encodeEntryObject(key: string, entry: LogEntry): Uint8Array {
  const payload = entry.payload ?? new Uint8Array(0)
  const seed = crc32(utf8Encode(key))
  const bytes = new Uint8Array(ENTRY_HEADER_BYTES + payload.length)
  bytes.set(MAGIC)
  bytes[8] = FORMAT
  bytes[10] = entry.payload === undefined ? KIND_TOMBSTONE : KIND_ENTRY
  putU32(bytes, 12, payload.length)
  putU64(bytes, 16, entry.version)
  putU64(bytes, 24, entry.timestamp)
  bytes.set(ulidToBytes(entry.token), TOKEN_AT)
  putU32(bytes, 48, crc32(payload, seed))
  putU32(bytes, CHECKED_BYTES, crc32(bytes.subarray(0, CHECKED_BYTES), seed))
  bytes.set(payload, ENTRY_HEADER_BYTES)
  return bytes
}

/** Decodes the entry without its payload, from the object's first bytes. */
export function decodeEntryHeader(
  key: string,
  bytes: Uint8Array,
): { version: number; timestamp: number; token: string; tombstone: boolean } {
  if (bytes.length < ENTRY_HEADER_BYTES) {
    throw new CorruptionError(
      `${key}: the entry has only ${bytes.length} bytes: its header is cut off`,
    )
  }
  const seed = crc32(utf8Encode(key))
  const checked = bytes.subarray(0, CHECKED_BYTES)
  if (
    MAGIC.some((byte, i) => bytes[i] !== byte) ||
    crc32(checked, seed) !== getU32(bytes, CHECKED_BYTES)
  ) {
    throw new CorruptionError(`${key}: the entry's header is damaged or belongs to another key`)
  }
  const format = (bytes[8] as number) | ((bytes[9] as number) << 8)
  const kind = bytes[10]
  if (format !== FORMAT || (kind !== KIND_ENTRY && kind !== KIND_TOMBSTONE)) {
    throw new FormatVersionError(
      `${key}: entry format ${format}.${kind}, this release knows ${FORMAT}; open the database with a newer one`,
    )
  }
  const timestamp = getU64(bytes, 24)
  if (!isTimestamp(timestamp)) throw new CorruptionError(`${key}: its timestamp is out of range`)
  return {
    version: getU64(bytes, 16),
    timestamp,
    token: ulidFromBytes(bytes.subarray(TOKEN_AT, TOKEN_AT + ULID_BYTES)),
    tombstone: kind === KIND_TOMBSTONE,
  }
}

/** Decodes the whole entry; its payload is a view of `bytes`. */
export function decodeEntryObject(key: string, bytes: Uint8Array): LogEntry {
  const { version, timestamp, token, tombstone } = decodeEntryHeader(key, bytes)
  const payload = bytes.subarray(ENTRY_HEADER_BYTES)
  const length = getU32(bytes, 12)
  if (payload.length !== length) {
    throw new CorruptionError(
      `${key}: the payload has ${payload.length} bytes instead of ${length}`,
    )
  }
  if (crc32(payload, crc32(utf8Encode(key))) !== getU32(bytes, 48)) {
    throw new CorruptionError(`${key}: the entry's payload is damaged`)
  }
  return { version, timestamp, token, payload: tombstone ? undefined : payload }
}
