import { ByteReader, concatBytes } from '@firn/bytes'
import { SstWriter, type SstWriterOptions } from '@firn/sst'
import type { Random } from '../../random.js'
import type { FuzzTarget } from '../fuzz-target.js'
import { someBytes } from '../values.js'
import {
  blockBounds,
  footerOf,
  propertiesOf,
  putTogether,
  SECTION_FILTER,
  SECTION_INDEX,
  type SstParts,
  sealFile,
  sealFooter,
  TRAILER_BYTES,
  takeApart,
  withOneBlock,
} from './sst-forge.js'
import { readWhole, SST_TIMESTAMP } from './sst-reading.js'

const FILE_ID = '7-01JD3ZJ8GQW0000000000000FN'

/** Makes a file of some hundred records at most, in any shape that the writer makes. */
function someFile(random: Random, options: Partial<SstWriterOptions> = {}): Uint8Array {
  const timestamps = options.timestamps ?? (random.below(3) === 0 ? 'file' : 'record')
  const writer = new SstWriter({
    fileId: FILE_ID,
    compression: (['none', 'none', 'lz4', 'deflate'] as const)[random.below(4)] ?? 'none',
    blockBytes: [64, 256, 1024, 8192][random.below(4)] ?? 64,
    filterBitsPerKey: [0, 10, 32][random.below(3)] ?? 0,
    indexPartitionBytes: random.below(3) === 0 ? 8 : 65_536,
    statistics:
      random.below(3) === 0
        ? { ['__proto__']: { add: () => {}, finish: () => random.bytes(5) } }
        : {},
    ...options,
    timestamps,
  })
  // Sometimes the common prefix is far longer than the rest.
  const prefix = random.below(20) === 0 ? random.bytes(1000) : someBytes(random)
  const keyBytes = 1 + random.below(6)
  const keys = Array.from({ length: 1 + random.below(120) }, () => random.bytes(keyBytes))
  const valueBytes = random.below(2) === 0 ? undefined : random.below(30)
  const distinct = new Map(keys.map((key) => [key.join(), Uint8Array.of(...prefix, ...key)]))
  for (const key of [...distinct.values()].sort((a, b) => Buffer.compare(a, b))) {
    const versions = timestamps === 'file' ? 1 : 1 + random.below(3)
    for (let version = versions; version >= 1; version--) {
      const kind = random.below(3)
      const length = kind === 0 ? 0 : (valueBytes ?? random.below(60))
      const value = new Uint8Array(length).fill(random.below(256))
      const timestamp = SST_TIMESTAMP + version * 1000
      writer.add(key, value, timestamps === 'file' ? { kind } : { kind, timestamp })
    }
  }
  writer.finish()
  return concatBytes(writer.take())
}

/** Whole files. A changed file is sealed if its length is the same. */
function wholeFile(): FuzzTarget {
  const bounds = new Map<number, readonly number[]>()
  return {
    name: 'sst-file',
    async corpus(random) {
      const files: Uint8Array[] = []
      for (let left = 40; left > 0; left--) {
        const file = someFile(random)
        if (bounds.has(file.length)) continue
        bounds.set(file.length, await blockBounds(file))
        files.push(file)
      }
      return files
    },
    seal(bytes) {
      sealFile(bytes, FILE_ID, bounds.get(bytes.length) ?? [])
    },
    decode: readWhole,
  }
}

/** A part of a file: inputs are a byte that chooses the file, and the part's bytes. */
function partOf<File>(
  name: string,
  someBase: (random: Random) => Uint8Array,
  take: (file: Uint8Array) => { file: File; part: Uint8Array },
  forge: (file: File, part: Uint8Array) => Uint8Array,
  seal?: (part: Uint8Array) => void,
): FuzzTarget {
  let files: readonly File[] = []
  return {
    name,
    corpus(random) {
      const taken = Array.from({ length: 20 }, () => take(someBase(random)))
      files = taken.map(({ file }) => file)
      return taken.map(({ part }, i) => concatBytes([Uint8Array.of(i), part]))
    },
    ...(seal === undefined ? {} : { seal: (bytes) => seal(bytes.subarray(1)) }),
    decode(bytes) {
      const file = files[(bytes[0] ?? 0) % files.length] as File
      return readWhole(forge(file, bytes.subarray(1)))
    },
  }
}

const plainFile = (random: Random): Uint8Array => someFile(random, { compression: 'none' })
const oneBlock = { indexPartitionBytes: 65_536, blockBytes: 1 << 20, timestamps: 'record' } as const
const oneBlockFile = (random: Random): Uint8Array =>
  someFile(random, { ...oneBlock, compression: 'none' })

const footer = partOf(
  'sst-footer',
  plainFile,
  (file) => ({ file: file.slice(0, footerOf(file).at), part: file.slice(footerOf(file).at) }),
  (body, footer) => concatBytes([body, footer]),
  sealFooter,
)

const properties = partOf(
  'sst-properties',
  plainFile,
  (file) => ({ file: takeApart(file), part: propertiesOf(file) }),
  putTogether,
)

function sectionOf(name: string, id: number): FuzzTarget {
  return partOf(
    name,
    (random) => someFile(random, { compression: 'none', filterBitsPerKey: 10 }),
    (file) => {
      const parts = takeApart(file)
      return { file: parts, part: parts.sections.get(id) ?? new Uint8Array(0) }
    },
    (parts, part) => putTogether({ ...parts, sections: new Map(parts.sections).set(id, part) }),
  )
}

const block = partOf(
  'sst-block',
  oneBlockFile,
  (file) => {
    const parts = takeApart(file)
    return { file: parts, part: parts.body.slice(0, -TRAILER_BYTES) }
  },
  (parts, part) => withOneBlock(parts, part, 0, part.length),
)

/** Compressed blocks: inputs are u32 raw length, codec and content, which end and begin a block. */
function compressed(): FuzzTarget {
  let parts: SstParts | undefined
  return {
    name: 'sst-compressed',
    async corpus(random) {
      parts = takeApart(oneBlockFile(random))
      const blocks: Uint8Array[] = []
      for (let i = 0; i < 20; i++) {
        const compression = i % 2 === 0 ? 'lz4' : 'deflate'
        const file = someFile(random, { ...oneBlock, compression })
        const stored = file.subarray(0, (await blockBounds(file))[1])
        const content = stored.length - TRAILER_BYTES
        blocks.push(
          Uint8Array.of(...stored.subarray(content, content + 5), ...stored.subarray(0, content)),
        )
      }
      return blocks
    },
    decode(bytes) {
      const input = new ByteReader(bytes, 'compressed block')
      const rawLength = input.u32()
      const codec = input.u8()
      return readWhole(
        withOneBlock(parts as SstParts, input.take(input.remaining), codec, rawLength),
      )
    },
  }
}

export const sstTargets: readonly FuzzTarget[] = [
  wholeFile(),
  footer,
  properties,
  sectionOf('sst-index', SECTION_INDEX),
  sectionOf('sst-filter', SECTION_FILTER),
  block,
  compressed(),
]
