import { ByteWriter, crc32, utf8Decode, utf8Encode } from '@firn/bytes'
import { CorruptionError, FormatVersionError } from '@firn/env'
import { getU32, getU64 } from './envelope.js'
import { FORMAT_VERSION, MAGIC, MAX_FILE_ID_BYTES } from './format.js'

/** Length of a footer without the file id. */
export const FOOTER_FIXED_BYTES = 44
// The last bytes are the same in all versions: u32 footer length, u32 version, u32 checksum, magic.
const FOOTER_END_BYTES = 20
const MAX_FOOTER_BYTES: number = FOOTER_FIXED_BYTES + MAX_FILE_ID_BYTES

export interface Footer {
  readonly fileId: string
  readonly fileBytes: number
  /** Bytes from the first block that is needed to open the file up to the end. */
  readonly tailBytes: number
  /** Stored length of the properties block, which ends where the footer begins. */
  readonly propertiesBytes: number
  readonly footerBytes: number
}

export function encodeFooter(footer: Omit<Footer, 'footerBytes'>): Uint8Array {
  const id = utf8Encode(footer.fileId)
  const writer = new ByteWriter(FOOTER_FIXED_BYTES + id.length)
  writer.bytes(id)
  writer.u64(footer.fileBytes)
  writer.u32(footer.tailBytes)
  writer.u32(footer.propertiesBytes)
  writer.u32(0) // critical features
  writer.u32(0) // optional features
  writer.u32(FOOTER_FIXED_BYTES + id.length)
  writer.u32(FORMAT_VERSION)
  writer.u32(crc32(writer.view()))
  writer.bytes(MAGIC)
  return writer.take()
}

/** Decodes the footer at the end of `tail`, the last bytes of a file of `size` bytes. */
export function decodeFooter(tail: Uint8Array, size: number, what: string): Footer {
  const fail = (problem: string) => new CorruptionError(`${what}: ${problem}`)
  const end = tail.length
  if (end < FOOTER_FIXED_BYTES) throw fail(`${size} bytes can't hold an SST`)
  for (let i = 0; i < MAGIC.length; i++) {
    if (tail[end - MAGIC.length + i] !== MAGIC[i]) throw fail('not an SST: the magic is missing')
  }
  const footerBytes = getU32(tail, end - FOOTER_END_BYTES)
  const version = getU32(tail, end - FOOTER_END_BYTES + 4)
  const start = end - footerBytes
  // Check the checksum before the version, to tell damage from a file of a later version.
  if (footerBytes < FOOTER_END_BYTES || start < 0) {
    throw fail(`a footer of ${footerBytes} bytes`)
  }
  const checked = end - MAGIC.length - 4
  if (crc32(tail.subarray(start, checked)) !== getU32(tail, checked)) {
    throw fail("the footer's checksum doesn't match")
  }
  if (version !== FORMAT_VERSION) {
    throw new FormatVersionError(
      `${what}: SST format version ${version}, this release reads ${FORMAT_VERSION}; use a newer release`,
    )
  }
  const idBytes = footerBytes - FOOTER_FIXED_BYTES
  if (idBytes < 1 || footerBytes > MAX_FOOTER_BYTES) throw fail(`a footer of ${footerBytes} bytes`)
  const at = start + idBytes
  const critical = getU32(tail, at + 16)
  if (critical !== 0) {
    throw new FormatVersionError(
      `${what}: features 0x${critical.toString(16)} need a newer release`,
    )
  }
  const fileBytes = getU64(tail, at)
  const tailBytes = getU32(tail, at + 8)
  const propertiesBytes = getU32(tail, at + 12)
  if (fileBytes !== size) throw fail(`the file has ${size} bytes, but its footer says ${fileBytes}`)
  if (tailBytes > fileBytes || propertiesBytes + footerBytes > tailBytes) {
    throw fail('the footer points outside of the file')
  }
  let fileId: string
  try {
    fileId = utf8Decode(tail.subarray(start, at))
  } catch (cause) {
    throw new CorruptionError(`${what}: its file id is not UTF-8`, { cause })
  }
  return { fileId, fileBytes, tailBytes, propertiesBytes, footerBytes }
}
