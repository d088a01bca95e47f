import { crc32 } from '@firn/bytes'
import { CorruptionError, FormatVersionError } from '@firn/env'
import { CODEC_LZ4, decompress, expansionLimit } from './codec.js'
import type { FileIdentity } from './identity.js'

/** Length of the trailer after every block's content: u32 raw length, u8 codec, u32 checksum. */
export const TRAILER_BYTES = 9

/** Writes the trailer after a block's content, `target[start, end)`; returns the trailer's end. */
export function sealBlock(
  target: Uint8Array,
  start: number,
  end: number,
  rawLength: number,
  codec: number,
  identity: FileIdentity,
  fileOffset: number,
): number {
  putU32(target, end, rawLength)
  target[end + 4] = codec
  const checked = end + 5
  putU32(target, checked, crc32(target.subarray(start, checked), identity.seed(fileOffset)))
  return checked + 4
}

/**
 * Checks a stored block against its identity, and returns its raw content, decompressed. Allocates
 * at most `limit` bytes for it. With `asView` the content may share memory with `stored`; that is
 * for callers that don't keep it.
 */
export function openBlock(
  stored: Uint8Array,
  identity: FileIdentity,
  fileOffset: number,
  limit: number,
  what: string,
  asView = false,
): Uint8Array {
  const where = `${what} at offset ${fileOffset} of SST ${identity.fileId}`
  const end = stored.length - TRAILER_BYTES
  if (end < 0) throw new CorruptionError(`${where}: ${stored.length} bytes can't hold a block`)
  const checked = end + 5
  const checksum = crc32(stored.subarray(0, checked), identity.seed(fileOffset))
  if (checksum !== getU32(stored, checked)) {
    throw new CorruptionError(`${where}: the checksum doesn't match`)
  }
  const rawLength = getU32(stored, end)
  const codec = stored[end + 4] as number
  if (codec > CODEC_LZ4) {
    throw new FormatVersionError(`${where}: codec ${codec} needs a newer release`)
  }
  if (rawLength > limit || rawLength > expansionLimit(codec, end)) {
    throw new CorruptionError(`${where}: a raw length of ${rawLength} is out of bounds`)
  }
  const raw = decompress(codec, stored, 0, end, rawLength, asView)
  if (raw === undefined) throw new CorruptionError(`${where}: its content doesn't decompress`)
  return raw
}

export function putU32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value
  bytes[at + 1] = value >>> 8
  bytes[at + 2] = value >>> 16
  bytes[at + 3] = value >>> 24
}

// `as number`: callers have checked the bounds.
export function getU32(bytes: Uint8Array, at: number): number {
  return (
    ((bytes[at] as number) |
      ((bytes[at + 1] as number) << 8) |
      ((bytes[at + 2] as number) << 16) |
      ((bytes[at + 3] as number) << 24)) >>>
    0
  )
}

/** Writes a number below 2^53 as eight bytes. */
export function putU64(bytes: Uint8Array, at: number, value: number): void {
  putU32(bytes, at, value >>> 0)
  putU32(bytes, at + 4, Math.floor(value / 2 ** 32))
}

/** Reads a number below 2^53 from eight bytes; -1 for a larger one. */
export function getU64(bytes: Uint8Array, at: number): number {
  const high = getU32(bytes, at + 4)
  return high > 0x1fffff ? -1 : high * 2 ** 32 + getU32(bytes, at)
}
