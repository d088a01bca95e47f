// FORMAT.md is normative. Numbers here never change.

import { ByteReader, ByteWriter, crc32, fromHex, toHex, utf8Decode, utf8Encode } from '@firn/bytes'

/** 'FDC1', little endian. */
const MAGIC = 0x31434446
const FORMAT_VERSION = 1
export const HEADER_BYTES = 24
/** Longest content of an entry. */
export const MAX_CONTENT_BYTES: number = 2 ** 30
/** Longest name of a directory; files whose id needs a longer one aren't cached. */
const MAX_NAME_BYTES = 200

const PLAIN_ID = /^[0-9A-Z-]+$/
const ENTRY_NAME = /^([0-9a-f]{1,14})-([0-9a-f]{1,8})$/

/** The directory of a file's entries; `undefined` if the id is too long for one. */
export function directoryNameOf(fileId: string): string | undefined {
  // Ids made by the engine stay readable; others could be anything, even `..`.
  const name = PLAIN_ID.test(fileId) ? `f-${fileId}` : `x-${toHex(utf8Encode(fileId))}`
  return name.length <= MAX_NAME_BYTES && fileId !== '' ? name : undefined
}

/** The file id of a directory; `undefined` if the name isn't one of the cache's. */
export function fileIdOf(directoryName: string): string | undefined {
  const rest = directoryName.slice(2)
  try {
    const id = directoryName.startsWith('f-') ? rest : utf8Decode(fromHex(rest))
    return directoryNameOf(id) === directoryName ? id : undefined
  } catch {
    return undefined
  }
}

export function entryNameOf(offset: number, length: number): string {
  return `${offset.toString(16)}-${length.toString(16)}`
}

export function entryOf(name: string): { offset: number; length: number } | undefined {
  const match = ENTRY_NAME.exec(name)
  if (match === null) return undefined
  const offset = Number.parseInt(match[1] as string, 16)
  const length = Number.parseInt(match[2] as string, 16)
  const isOurs = entryNameOf(offset, length) === name && length <= MAX_CONTENT_BYTES
  return isOurs && Number.isSafeInteger(offset) ? { offset, length } : undefined
}

/** Encodes the 24 bytes before the content. */
export function encodeHeader(fileId: string, offset: number, content: Uint8Array): Uint8Array {
  const writer = new ByteWriter(HEADER_BYTES)
  writer.u32(MAGIC)
  writer.u32(FORMAT_VERSION)
  writer.u64(offset)
  writer.u32(content.length)
  writer.u32(checksum(fileId, offset, content))
  return writer.take()
}

/**
 * Returns the content of an entry if it belongs to this place of this file and is whole and
 * undamaged.
 */
export function decodeEntry(
  entry: Uint8Array,
  fileId: string,
  offset: number,
  length: number,
): Uint8Array | undefined {
  if (entry.length !== HEADER_BYTES + length) return undefined
  const reader = new ByteReader(entry.subarray(0, HEADER_BYTES), 'disk cache entry')
  const content = entry.subarray(HEADER_BYTES)
  const isSound =
    reader.u32() === MAGIC &&
    reader.u32() === FORMAT_VERSION &&
    // In two halves: any 64 bits may be here.
    reader.u32() === offset % 2 ** 32 &&
    reader.u32() === Math.floor(offset / 2 ** 32) &&
    reader.u32() === length &&
    reader.u32() === checksum(fileId, offset, content)
  return isSound ? content : undefined
}

/**
 * Covers the content, seeded with the identity's checksum: the right bytes in the wrong place fail.
 */
function checksum(fileId: string, offset: number, content: Uint8Array): number {
  const identity = new ByteWriter(64)
  identity.bytes(utf8Encode(fileId))
  identity.u64(offset)
  identity.u32(content.length)
  return crc32(content, crc32(identity.view()))
}
