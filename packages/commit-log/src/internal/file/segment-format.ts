import { crc32 } from '@firn/bytes'
import {
  CorruptionError,
  FormatVersionError,
  ULID_BYTES,
  ulidFromBytes,
  ulidToBytes,
} from '@firn/env'
import { getU32, getU64, putU32, putU64 } from '../little-endian.js'

// The file log's segments, byte by byte: FORMAT.md, "Segment". Numbers here are persisted.

const MAGIC = Uint8Array.of(0x46, 0x49, 0x52, 0x4e, 0x4c, 0x4f, 0x47, 0x0a) // "FIRNLOG\n"
const SEGMENT_FORMAT = 1
export const SEGMENT_HEADER_BYTES = 48
const SEGMENT_CHECKED_BYTES = 44

/** The content of a segment: entries as appended, or the tombstones that remain of them. */
export const FORM_ENTRIES = 0
export const FORM_TOMBSTONES = 1

export const FRAME_HEADER_BYTES = 56
const FRAME_CHECKED_BYTES = 52
const TOKEN_AT = 24

export const FRAME_ENTRY = 1
/** A run of tombstones: `version` is the first one's, `timestamp` the last one's. */
export const FRAME_TOMBSTONES = 2
/** The log was closed here: `version` and `timestamp` are the last entry's. Has no payload. */
export const FRAME_END = 3

export interface SegmentHeader {
  /** A ULID that no other segment has. */
  id: string
  firstVersion: number
  form: number
  /** Checksum of the id; seeds all checksums of the segment. */
  seed: number
}

export interface FrameHeader {
  kind: number
  payloadLength: number
  version: number
  timestamp: number
  /** Every entry up to this version was durable when the frame was written. */
  durableThrough: number
  payloadChecksum: number
  /** Seeds both checksums of the frame. */
  seed: number
}

export function encodeSegmentHeader(id: string, firstVersion: number, form: number): Uint8Array {
  const bytes = new Uint8Array(SEGMENT_HEADER_BYTES)
  bytes.set(MAGIC)
  bytes[8] = SEGMENT_FORMAT
  bytes[10] = form
  bytes.set(ulidToBytes(id), 16)
  putU64(bytes, 32, firstVersion)
  putU32(bytes, SEGMENT_CHECKED_BYTES, crc32(bytes.subarray(0, SEGMENT_CHECKED_BYTES)))
  return bytes
}

/** Throws `CorruptionError`, or `FormatVersionError` for a newer format. */
export function decodeSegmentHeader(bytes: Uint8Array, what: string): SegmentHeader {
  if (bytes.length < SEGMENT_HEADER_BYTES) {
    throw new CorruptionError(
      `${what}: the segment has only ${bytes.length} bytes: its header is cut off`,
    )
  }
  const stored = getU32(bytes, SEGMENT_CHECKED_BYTES)
  if (
    MAGIC.some((byte, i) => bytes[i] !== byte) ||
    crc32(bytes.subarray(0, SEGMENT_CHECKED_BYTES)) !== stored
  ) {
    throw new CorruptionError(`${what}: the segment's header is damaged, at offset 0`)
  }
  const format = (bytes[8] as number) | ((bytes[9] as number) << 8)
  const form = bytes[10] as number
  if (format !== SEGMENT_FORMAT || form > FORM_TOMBSTONES) {
    throw new FormatVersionError(
      `${what}: segment format ${format}.${form}, this release knows ${SEGMENT_FORMAT}; open the database with a newer one`,
    )
  }
  const id = bytes.subarray(16, 16 + ULID_BYTES)
  return { id: ulidFromBytes(id), firstVersion: getU64(bytes, 32), form, seed: crc32(id) }
}

export function segmentSeed(id: string): number {
  return crc32(ulidToBytes(id))
}

const offsetBytes = new Uint8Array(8)

/**
 * The seed of a frame's checksums: they are valid in this segment, at this offset, nowhere else.
 */
function frameSeed(segmentSeed: number, offset: number): number {
  putU64(offsetBytes, 0, offset)
  return crc32(offsetBytes, segmentSeed)
}

/** Writes the header of a frame for segment offset `offset` into `out`, at index `at`. */
export function putFrameHeader(
  out: Uint8Array,
  at: number,
  segmentSeed: number,
  offset: number,
  frame: Pick<FrameHeader, 'kind' | 'version' | 'timestamp' | 'durableThrough'> & {
    token: string | undefined
  },
  payload: Uint8Array,
): void {
  const seed = frameSeed(segmentSeed, offset)
  putU32(out, at, payload.length)
  putU32(out, at + 4, frame.kind)
  putU64(out, at + 8, frame.version)
  putU64(out, at + 16, frame.timestamp)
  if (frame.token === undefined) out.fill(0, at + TOKEN_AT, at + TOKEN_AT + ULID_BYTES)
  else out.set(ulidToBytes(frame.token), at + TOKEN_AT)
  putU64(out, at + 40, frame.durableThrough)
  putU32(out, at + 48, crc32(payload, seed))
  const checked = out.subarray(at, at + FRAME_CHECKED_BYTES)
  putU32(out, at + FRAME_CHECKED_BYTES, crc32(checked, seed))
}

/**
 * Reads the header of the frame at index `at` of `bytes`, which is `offset` of its segment;
 * `undefined` if no such frame was written there.
 */
export function readFrameHeader(
  bytes: Uint8Array,
  at: number,
  segmentSeed: number,
  offset: number,
): FrameHeader | undefined {
  if (at + FRAME_HEADER_BYTES > bytes.length) return undefined
  const kind = getU32(bytes, at + 4)
  // Nearly every place that isn't a frame is rejected here, without a checksum.
  if (kind < FRAME_ENTRY || kind > FRAME_END) return undefined
  const checked = bytes.subarray(at, at + FRAME_CHECKED_BYTES)
  const stored = getU32(bytes, at + FRAME_CHECKED_BYTES)
  const seed = frameSeed(segmentSeed, offset)
  if (crc32(checked, seed) !== stored) return undefined
  return {
    kind,
    payloadLength: getU32(bytes, at),
    version: getU64(bytes, at + 8),
    timestamp: getU64(bytes, at + 16),
    durableThrough: getU64(bytes, at + 40),
    payloadChecksum: getU32(bytes, at + 48),
    seed,
  }
}

/** Whether the payload of the frame at index `at`, right after its header, is whole. */
export function payloadIsWhole(bytes: Uint8Array, at: number, frame: FrameHeader): boolean {
  const start = at + FRAME_HEADER_BYTES
  const end = start + frame.payloadLength
  return (
    end <= bytes.length && crc32(bytes.subarray(start, end), frame.seed) === frame.payloadChecksum
  )
}

/** The token of the frame at index `at`. */
export function frameToken(bytes: Uint8Array, at: number): string {
  return ulidFromBytes(bytes.subarray(at + TOKEN_AT, at + TOKEN_AT + ULID_BYTES))
}
