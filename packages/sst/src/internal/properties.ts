import { ByteReader, ByteWriter } from '@firn/bytes'
import { FormatVersionError } from '@firn/env'
import { MAX_KEY_BYTES, MAX_STATISTICS_BYTES } from './format.js'

// A property is a varint tag, a varint length and content; tags ascend. A reader skips an unknown
// even tag and refuses an unknown odd one. The same rule holds for section ids.
const TAG_SHAPE = 1
const TAG_SECTIONS = 3
const TAG_COUNTS = 5
const TAG_BOUNDS = 7
const TAG_STATISTICS = 8

export const SECTION_INDEX = 1
export const SECTION_FILTER = 2

/** Id and place of a block outside of the data. The length includes the trailer. */
export interface Section {
  readonly id: number
  readonly offset: number
  readonly length: number
}

export interface Properties {
  /** Data blocks are in `[0, dataBytes)`. */
  readonly dataBytes: number
  readonly blocks: number
  /** 1: the index section points to data blocks. 2: it points to partitions, after the data. */
  readonly indexLevels: number
  /** Number of blocks in each partition of the index; empty for a flat index. */
  readonly partitions: readonly number[]
  /** Whether the file stores timestamps. */
  readonly timestamps: boolean
  /** The codec that was requested. */
  readonly codec: number
  readonly blockBytes: number
  readonly sections: readonly Section[]
  readonly records: number
  readonly deletes: number
  readonly merges: number
  readonly keys: number
  readonly rawKeyBytes: number
  readonly rawValueBytes: number
  readonly smallest: Uint8Array
  readonly largest: Uint8Array
  readonly minTimestamp: number
  readonly maxTimestamp: number
  readonly statistics: Readonly<Record<string, Uint8Array>>
}

export function encodeProperties(properties: Properties): Uint8Array {
  const whole = new ByteWriter(1024)
  const part = new ByteWriter(1024)
  const put = (tag: number, write: () => void) => {
    part.reset()
    write()
    whole.varint(tag)
    whole.prefixed(part.view())
  }
  put(TAG_SHAPE, () => {
    part.varint(properties.dataBytes)
    part.varint(properties.blocks)
    part.u8(properties.indexLevels)
    part.varint(properties.partitions.length)
    for (const count of properties.partitions) part.varint(count)
    part.u8(properties.timestamps ? 1 : 0)
    part.u8(properties.codec)
    part.varint(properties.blockBytes)
  })
  put(TAG_SECTIONS, () => {
    part.varint(properties.sections.length)
    for (const { id, offset, length } of properties.sections) {
      part.varint(id)
      part.varint(offset)
      part.varint(length)
    }
  })
  put(TAG_COUNTS, () => {
    part.varint(properties.records)
    part.varint(properties.deletes)
    part.varint(properties.merges)
    part.varint(properties.keys)
    part.varint(properties.rawKeyBytes)
    part.varint(properties.rawValueBytes)
  })
  put(TAG_BOUNDS, () => {
    part.prefixed(properties.smallest)
    part.prefixed(properties.largest)
    part.varint(properties.minTimestamp)
    part.varint(properties.maxTimestamp)
  })
  const statistics = Object.entries(properties.statistics)
  if (statistics.length > 0) {
    put(TAG_STATISTICS, () => {
      part.varint(statistics.length)
      for (const [name, content] of statistics) {
        part.text(name)
        part.prefixed(content)
      }
    })
  }
  return whole.take()
}

/** Decodes and checks properties. Sections must be before `end`. */
export function decodeProperties(bytes: Uint8Array, end: number, where: string): Properties {
  const parts = readParts(bytes, where)
  const part = (tag: number, name: string) => {
    const content = parts.get(tag)
    if (content === undefined) throw new ByteReader(bytes, where).corrupt(`no ${name}`)
    return new ByteReader(content, `${name} in ${where}`)
  }
  const shape = part(TAG_SHAPE, 'shape')
  const dataBytes = shape.varint()
  const blocks = shape.varint()
  const indexLevels = shape.u8()
  const partitions = readPartitions(shape, blocks)
  const timestamps = shape.u8()
  const codec = shape.u8()
  const blockBytes = shape.varint()
  shape.expectEnd()
  if (indexLevels > 2 || timestamps > 1) {
    throw new FormatVersionError(`${where}: an index or timestamps that need a newer release`)
  }
  // Every block takes some bytes, so the file's size bounds their number.
  if (dataBytes > end || blocks > dataBytes || indexLevels === 0)
    throw shape.corrupt('an impossible number of bytes, blocks or levels')
  if ((indexLevels === 2) !== partitions.length > 0)
    throw shape.corrupt('levels that contradict partitions')
  const sections = readSections(part(TAG_SECTIONS, 'sections'), dataBytes, end)
  const counts = part(TAG_COUNTS, 'counts')
  const records = counts.varint()
  const deletes = counts.varint()
  const merges = counts.varint()
  const keys = counts.varint()
  const rawKeyBytes = counts.varint()
  const rawValueBytes = counts.varint()
  counts.expectEnd()
  if (deletes + merges > records || keys > records || (records === 0) !== (blocks === 0)) {
    throw counts.corrupt('counts contradict each other')
  }
  const bounds = part(TAG_BOUNDS, 'bounds')
  const smallest = bounds.prefixed(MAX_KEY_BYTES).slice()
  const largest = bounds.prefixed(MAX_KEY_BYTES).slice()
  const minTimestamp = bounds.varint()
  const maxTimestamp = bounds.varint()
  bounds.expectEnd()
  if (minTimestamp > maxTimestamp) throw bounds.corrupt('timestamps out of order')
  return {
    dataBytes,
    blocks,
    indexLevels,
    partitions,
    timestamps: timestamps === 1,
    codec,
    blockBytes,
    sections,
    records,
    deletes,
    merges,
    keys,
    rawKeyBytes,
    rawValueBytes,
    smallest,
    largest,
    minTimestamp,
    maxTimestamp,
    statistics: readStatistics(parts.get(TAG_STATISTICS), where),
  }
}

function readPartitions(reader: ByteReader, blocks: number): number[] {
  const partitions: number[] = []
  let covered = 0
  // Each count takes at least a byte, so the bytes bound a hostile length.
  for (let left = reader.varint(); left > 0; left--) {
    const count = reader.varint()
    covered += count
    if (count === 0 || covered > blocks)
      throw reader.corrupt('partitions with too many or no blocks')
    partitions.push(count)
  }
  if (partitions.length > 0 && covered !== blocks) throw reader.corrupt('blocks in no partition')
  return partitions
}

function readParts(bytes: Uint8Array, where: string): Map<number, Uint8Array> {
  const reader = new ByteReader(bytes, where)
  const parts = new Map<number, Uint8Array>()
  let before = 0
  while (!reader.atEnd) {
    const tag = reader.varint()
    if (tag <= before) throw reader.corrupt('properties out of order')
    before = tag
    if (tag % 2 === 1 && tag > TAG_BOUNDS) {
      throw new FormatVersionError(`${where}: property ${tag} needs a newer release`)
    }
    parts.set(tag, reader.prefixed())
  }
  return parts
}

function readSections(reader: ByteReader, start: number, end: number): Section[] {
  const sections: Section[] = []
  const count = reader.varint()
  let before = 0
  for (let i = 0; i < count; i++) {
    const id = reader.varint()
    const offset = reader.varint()
    const length = reader.varint()
    if (id <= before) throw reader.corrupt('sections out of order')
    before = id
    if (id % 2 === 1 && id !== SECTION_INDEX) {
      throw new FormatVersionError(`${reader.what}: section ${id} needs a newer release`)
    }
    if (offset < start || offset + length > end) throw reader.corrupt('a section out of bounds')
    sections.push({ id, offset, length })
  }
  reader.expectEnd()
  return sections
}

function readStatistics(
  bytes: Uint8Array | undefined,
  where: string,
): Readonly<Record<string, Uint8Array>> {
  // Without a prototype, a statistic can be named `__proto__`.
  const statistics: Record<string, Uint8Array> = Object.create(null)
  if (bytes === undefined) return statistics
  const reader = new ByteReader(bytes, `statistics in ${where}`)
  const count = reader.varint()
  for (let i = 0; i < count; i++) {
    const name = reader.text(MAX_STATISTICS_BYTES)
    statistics[name] = reader.prefixed(MAX_STATISTICS_BYTES).slice()
  }
  reader.expectEnd()
  return statistics
}
