import { ByteReader, ByteWriter, crc32, utf8Encode } from '@firn/bytes'
import { memorySource, SstReader } from '@firn/sst'

// Builds whole SSTs around given parts, with correct checksums, by @firn/sst's FORMAT.md and
// without its code. So a reader has no other reason to refuse a file with a damaged part.

export const SECTION_INDEX = 1
export const SECTION_FILTER = 2
const TAG_SHAPE = 1
const TAG_SECTIONS = 3
/** The length of the trailer after a block's content: u32 raw length, u8 codec, u32 checksum. */
export const TRAILER_BYTES = 9
const FOOTER_BYTES_WITHOUT_ID = 44
const MAGIC = utf8Encode('FIRNSST\n')

/** A file in parts. Contents are without trailers. */
export interface SstParts {
  fileId: string
  /** Data blocks and index partitions, with trailers: up to the first section. */
  body: Uint8Array
  /** Contents by section id. */
  sections: Map<number, Uint8Array>
  /** Contents by property tag. */
  properties: Map<number, Uint8Array>
}

/** Takes apart a file whose blocks aren't compressed. */
export function takeApart(file: Uint8Array): SstParts {
  const footer = footerOf(file)
  const properties = new Map<number, Uint8Array>()
  const tags = new ByteReader(file.subarray(footer.propertiesAt, footer.at - TRAILER_BYTES), 'SST')
  while (!tags.atEnd) properties.set(tags.varint(), tags.prefixed().slice())
  const sections = new Map<number, Uint8Array>()
  let bodyEnd = footer.propertiesAt
  const list = new ByteReader(properties.get(TAG_SECTIONS) ?? new Uint8Array(0), 'SST')
  for (let left = list.varint(); left > 0; left--) {
    const id = list.varint()
    const offset = list.varint()
    sections.set(id, file.slice(offset, offset + list.varint() - TRAILER_BYTES))
    bodyEnd = Math.min(bodyEnd, offset)
  }
  return { fileId: footer.fileId, body: file.slice(0, bodyEnd), sections, properties }
}

/** Returns the content of a sound file's properties block. */
export function propertiesOf(file: Uint8Array): Uint8Array {
  const { at, propertiesAt } = footerOf(file)
  return file.slice(propertiesAt, at - TRAILER_BYTES)
}

/** Returns where a sound file's footer and properties begin. */
export function footerOf(file: Uint8Array): { at: number; propertiesAt: number; fileId: string } {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength)
  const at = file.length - view.getUint32(file.length - 20, true)
  const idBytes = file.length - at - FOOTER_BYTES_WITHOUT_ID
  const propertiesBytes = view.getUint32(at + idBytes + 12, true)
  const fileId = new TextDecoder().decode(file.subarray(at, at + idBytes))
  return { at, propertiesAt: at - propertiesBytes, fileId }
}

/**
 * Builds the file of these parts, with sections and properties in their places, and a correct list
 * of sections. `properties` replaces the whole content of that block.
 */
export function putTogether(parts: SstParts, properties?: Uint8Array): Uint8Array {
  const { fileId, body } = parts
  const out = new ByteWriter(body.length + 4096)
  out.bytes(body)
  const list = new ByteWriter(64)
  list.varint(parts.sections.size)
  for (const [id, content] of parts.sections) {
    const at = out.length
    sealTo(out, fileId, content, 0, content.length)
    list.varint(id)
    list.varint(at)
    list.varint(out.length - at)
  }
  const tags = new ByteWriter(256)
  for (const [tag, content] of new Map(parts.properties).set(TAG_SECTIONS, list.take())) {
    tags.varint(tag)
    tags.prefixed(content)
  }
  const propertiesAt = out.length
  const content = properties ?? tags.take()
  sealTo(out, fileId, content, 0, content.length)
  const footerAt = out.length
  const id = utf8Encode(fileId)
  const footerBytes = id.length + FOOTER_BYTES_WITHOUT_ID
  out.bytes(id)
  out.u64(footerAt + footerBytes)
  out.u32(footerAt + footerBytes - body.length)
  out.u32(footerAt - propertiesAt)
  out.u64(0)
  out.u32(footerBytes)
  out.u32(1)
  out.u32(crc32(out.view().subarray(footerAt)))
  out.bytes(MAGIC)
  return out.take()
}

/** Builds a file with a single data block of this stored content; the other properties stay. */
export function withOneBlock(
  parts: SstParts,
  content: Uint8Array,
  codec: number,
  rawLength: number,
): Uint8Array {
  const block = new ByteWriter(content.length + TRAILER_BYTES)
  sealTo(block, parts.fileId, content, codec, rawLength)
  const body = block.take()
  // One child, with an empty separator and the total as its length.
  const index = new ByteWriter(32)
  index.u32(0)
  index.u32(1)
  index.u32(0)
  index.u32(0)
  index.u64(0)
  index.u64(body.length)
  const shape = new ByteReader(parts.properties.get(TAG_SHAPE) ?? new Uint8Array(0), 'SST')
  shape.varint()
  shape.varint()
  shape.u8()
  for (let left = shape.varint(); left > 0; left--) shape.varint()
  const newShape = new ByteWriter(32)
  newShape.varint(body.length)
  newShape.varint(1)
  newShape.u8(1)
  newShape.varint(0)
  newShape.bytes(shape.take(shape.remaining))
  return putTogether({
    fileId: parts.fileId,
    body,
    sections: new Map(parts.sections).set(SECTION_INDEX, index.take()),
    properties: new Map(parts.properties).set(TAG_SHAPE, newShape.take()),
  })
}

/** Appends a block: content, raw length, codec, checksum. */
function sealTo(
  out: ByteWriter,
  fileId: string,
  content: Uint8Array,
  codec: number,
  rawLength: number,
): void {
  const at = out.length
  out.bytes(content)
  out.u32(rawLength)
  out.u8(codec)
  out.u32(crc32(out.view().subarray(at), seedOf(fileId, at)))
}

/** Returns the checksum's seed for data that begins at an offset of a file. */
function seedOf(fileId: string, offset: number): number {
  const at = new ByteWriter(8)
  at.u64(offset)
  return crc32(at.view(), crc32(utf8Encode(fileId)))
}

/**
 * Returns where each block of a sound file begins and ends, trailers included; the last end is the
 * footer's beginning.
 */
export async function blockBounds(file: Uint8Array): Promise<number[]> {
  const footer = footerOf(file)
  const bounds: number[] = []
  const reader = await SstReader.open(memorySource(file), { timestamp: 1 })
  for await (const { offset } of reader.blocks()) bounds.push(offset)
  await reader.close()
  // Blocks after the data are found by their checksums: a block ends where one holds.
  let at = reader.dataBlocks === 0 ? 0 : (bounds.pop() ?? 0)
  while (at < footer.at) {
    bounds.push(at)
    at = endOfBlock(file, footer.fileId, at)
  }
  return [...bounds, footer.at]
}

function endOfBlock(file: Uint8Array, fileId: string, start: number): number {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength)
  const seed = seedOf(fileId, start)
  for (let end = start + TRAILER_BYTES; ; end++) {
    if (crc32(file.subarray(start, end - 4), seed) === view.getUint32(end - 4, true)) return end
  }
}

/** Corrects the checksums of these blocks and of the footer. */
export function sealFile(file: Uint8Array, fileId: string, bounds: readonly number[]): void {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength)
  for (const [i, end] of bounds.entries()) {
    const start = bounds[i - 1]
    if (start === undefined || end > file.length) continue
    view.setUint32(end - 4, crc32(file.subarray(start, end - 4), seedOf(fileId, start)), true)
  }
  sealFooter(file)
}

/** Corrects the footer's checksum, and the magic. */
export function sealFooter(file: Uint8Array): void {
  if (file.length < 20) return
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength)
  const start = file.length - view.getUint32(file.length - 20, true)
  if (start < 0 || start > file.length - 20) return
  view.setUint32(file.length - 12, crc32(file.subarray(start, file.length - 12)), true)
  file.set(MAGIC, file.length - 8)
}
