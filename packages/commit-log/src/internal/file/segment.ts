import { CorruptionError } from '@firn/env'
import type { LogEntry } from '../../commit-log.js'
import { isTimestamp } from '../entry-checks.js'
import { getU32, getU64 } from '../little-endian.js'
import {
  decodeSegmentHeader,
  FORM_TOMBSTONES,
  FRAME_END,
  FRAME_ENTRY,
  FRAME_HEADER_BYTES,
  FRAME_TOMBSTONES,
  frameToken,
  payloadIsWhole,
  readFrameHeader,
  SEGMENT_HEADER_BYTES,
  type SegmentHeader,
} from './segment-format.js'
import { decodeTombstones } from './tombstone-run.js'

/** The whole frames from some place of a segment up to the first place without one. */
export interface Frames {
  readonly header: SegmentHeader
  /** The bytes read, from offset `base` of the segment on. */
  readonly bytes: Uint8Array
  readonly base: number
  /** Version of the first entry here, whether or not there is one. */
  readonly firstVersion: number
  /** Offsets of the entries' frames, in a segment of entries. */
  readonly offsets: number[]
  /** The entries themselves, in a segment of tombstones. */
  readonly tombstones: readonly LogEntry[]
  /** Offset behind the last whole frame. */
  readonly end: number
  readonly lastVersion: number
  /** 0 if there is no frame at all. */
  readonly lastTimestamp: number
  /** `durableThrough` of the last frame. */
  readonly durableThrough: number
  /** Whether the last frame says that the log was closed. */
  readonly closed: boolean
}

/** Reads a whole segment. Throws if the header isn't the one of this name. */
export function readSegment(bytes: Uint8Array, firstVersion: number, what: string): Frames {
  const header = decodeSegmentHeader(bytes, what)
  if (header.firstVersion !== firstVersion) {
    throw new CorruptionError(
      `${what}: the segment begins at version ${header.firstVersion}, but its name says ${firstVersion}`,
    )
  }
  return readFrames(bytes, 0, SEGMENT_HEADER_BYTES, header, firstVersion, what)
}

/**
 * Reads frames from offset `start` of the segment; `bytes` begin at offset `base`. Throws
 * `CorruptionError` for whole frames that can't belong there; the caller judges the place where
 * whole frames end.
 */
export function readFrames(
  bytes: Uint8Array,
  base: number,
  start: number,
  header: SegmentHeader,
  firstVersion: number,
  what: string,
): Frames {
  const offsets: number[] = []
  const tombstones: LogEntry[] = []
  let version = firstVersion
  let lastTimestamp = 0
  let durableThrough = 0
  let closed = false
  let offset = start
  for (;;) {
    const at = offset - base
    const frame = readFrameHeader(bytes, at, header.seed, offset)
    if (frame === undefined || !payloadIsWhole(bytes, at, frame)) break
    const expected = frame.kind === FRAME_END ? version - 1 : version
    const tombstoned = header.form === FORM_TOMBSTONES
    if (frame.version !== expected || (frame.kind === FRAME_TOMBSTONES) !== tombstoned) {
      throw new CorruptionError(
        `${what}: found a frame of kind ${frame.kind} and version ${frame.version} instead of version ${expected}, at offset ${offset}`,
      )
    }
    const payloadAt = at + FRAME_HEADER_BYTES
    closed = frame.kind === FRAME_END
    if (frame.kind === FRAME_ENTRY) {
      if (!isTimestamp(frame.timestamp)) {
        throw new CorruptionError(
          `${what}: the timestamp of an entry is out of range, at offset ${offset}`,
        )
      }
      offsets.push(offset)
      version++
    } else if (frame.kind === FRAME_TOMBSTONES) {
      const payload = bytes.subarray(payloadAt, payloadAt + frame.payloadLength)
      decodeTombstones(payload, version, `${what}, frame at ${offset}`, tombstones)
      version = firstVersion + tombstones.length
    }
    lastTimestamp = frame.timestamp
    durableThrough = frame.durableThrough
    offset += FRAME_HEADER_BYTES + frame.payloadLength
  }
  return {
    header,
    bytes,
    base,
    firstVersion,
    offsets,
    tombstones,
    end: offset,
    lastVersion: version - 1,
    lastTimestamp,
    durableThrough,
    closed,
  }
}

/** The entries after `version`, at most `limit`; payloads are views of the bytes that were read. */
export function entriesAfter(frames: Frames, version: number, limit: number): LogEntry[] {
  const from = Math.max(0, version + 1 - frames.firstVersion)
  if (frames.header.form === FORM_TOMBSTONES) return frames.tombstones.slice(from, from + limit)
  const { bytes, base, offsets } = frames
  const entries: LogEntry[] = []
  const to = Math.min(offsets.length, from + limit)
  for (let i = from; i < to; i++) entries.push(entryAtOffset(bytes, (offsets[i] as number) - base))
  return entries
}

function entryAtOffset(bytes: Uint8Array, at: number): LogEntry {
  const payloadAt = at + FRAME_HEADER_BYTES
  return {
    version: getU64(bytes, at + 8),
    timestamp: getU64(bytes, at + 16),
    token: frameToken(bytes, at),
    payload: bytes.subarray(payloadAt, payloadAt + getU32(bytes, at)),
  }
}

/**
 * Throws unless a segment that isn't the last reaches up to the next one: entries would be lost.
 */
export function assertReaches(frames: Frames, nextVersion: number, what: string): void {
  if (frames.lastVersion === nextVersion - 1) return
  throw new CorruptionError(
    `${what}: entry ${frames.lastVersion + 1} is damaged or missing, at offset ${frames.end}; restore from a backup`,
  )
}

/**
 * Throws unless the bytes behind the last segment's last whole frame are a torn write, or nothing
 * yet. They are damage if any later frame says that the entry which should be there was durable.
 */
export function assertTorn(frames: Frames, what: string): void {
  const { bytes, base, header, end, lastVersion } = frames
  const last = bytes.length - FRAME_HEADER_BYTES
  for (let at = end - base; at <= last; at++) {
    const frame = readFrameHeader(bytes, at, header.seed, base + at)
    if (frame !== undefined && frame.durableThrough > lastVersion) {
      throw new CorruptionError(
        `${what}: entry ${lastVersion + 1} is damaged, at offset ${end}; entries up to ${frame.durableThrough} were durable. Restore from a backup`,
      )
    }
  }
}

/** Whether everything behind the last whole frame is zeros: never written to. */
export function restIsZero(frames: Frames): boolean {
  const { bytes } = frames
  for (let at = frames.end - frames.base; at < bytes.length; at++) {
    if (bytes[at] !== 0) return false
  }
  return true
}
