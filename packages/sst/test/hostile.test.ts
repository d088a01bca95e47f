import { isFirnError } from '@firn/env'
import { END, PENDING } from '@firn/mvcc'
import { LONG } from '@firn/test-support'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { memorySource, SstReader } from '../src/index.js'
import { HEADS } from '../src/internal/block.js'
import { BlockBuilder } from '../src/internal/block-builder.js'
import { decodeBlock } from '../src/internal/block-decoder.js'
import { CODEC_DEFLATE, CODEC_LZ4, CODEC_NONE } from '../src/internal/codec.js'
import { deflate } from '../src/internal/deflate-node.js'
import { openBlock, putU32, sealBlock, TRAILER_BYTES } from '../src/internal/envelope.js'
import { decodeFilter } from '../src/internal/filter.js'
import { encodeFooter } from '../src/internal/footer.js'
import { FileIdentity } from '../src/internal/identity.js'
import { IndexBuilder } from '../src/internal/index-builder.js'
import { decodeIndex } from '../src/internal/index-decoder.js'
import { decodeProperties, encodeProperties, type Properties } from '../src/internal/properties.js'
import { text, write } from './files.js'

const scale = LONG ? 20 : 1
const timeout = 600_000

// Checksums are right here, since an attacker made the bytes on purpose. They may decode to other
// data, but never cause a crash, an access out of bounds, or unbounded memory.

function typed<T>(run: () => T): T | undefined {
  try {
    return run()
  } catch (error) {
    if (isFirnError(error, 'FIRN_CORRUPTION') || isFirnError(error, 'FIRN_FORMAT_VERSION')) {
      return undefined
    }
    throw error
  }
}

/** Changes that target headers: single bytes, and whole words with boundary values. */
const changes = fc.array(
  fc.tuple(
    fc.oneof(fc.nat(48), fc.nat(4000)),
    fc.oneof(
      fc.nat(255).map((byte) => [byte]),
      fc.constantFrom([0xff, 0xff, 0xff, 0xff], [0, 0, 0, 0x80], [0, 0, 0, 0], [0, 0, 1, 0]),
    ),
  ),
  { minLength: 1, maxLength: 4 },
)

function changed(bytes: Uint8Array, list: (readonly [number, readonly number[]])[]): Uint8Array {
  const copy = bytes.slice()
  for (const [at, values] of list) {
    for (const [i, value] of values.entries()) {
      if (at + i < copy.length) copy[at + i] = value
    }
  }
  return copy
}

function rawBlock(fixed: boolean): Uint8Array {
  const builder = new BlockBuilder()
  for (let i = 0; i < 40; i++) {
    const key = text(`key${String(i >> 1).padStart(fixed ? 4 : 1, '0')}`)
    const order = fixed ? i : i
    const value = new Uint8Array(fixed ? 9 : order).fill(i)
    const equal = i % 2 === 1
    if (!fixed) key[2] = 0x61 + i
    builder.add(
      i === 0 ? -1 : equal && fixed ? -1 : fixed ? 3 : 2,
      key,
      0,
      key.length,
      fixed ? 500 - i : 7,
      fixed ? 1 : i % 3,
      value,
      0,
      value.length,
    )
  }
  return builder.raw.slice(0, builder.build())
}

describe('hostile bytes with right checksums', () => {
  test(
    '40: data blocks',
    () => {
      const blocks = [rawBlock(true), rawBlock(false)]
      for (const raw of blocks) expect(decodeBlock(raw, undefined, 'block').rows).toBe(40)
      fc.assert(
        fc.property(fc.constantFrom(...blocks), changes, (raw, list) => {
          const block = typed(() => decodeBlock(changed(raw, list), undefined, 'block'))
          if (block === undefined) return
          let before: Uint8Array | undefined
          for (let row = 0; row < block.rows; row++) {
            const key = block.keyOf(row)
            const found = block.search(key, 0, key.length)
            expect(found).toBeLessThan(0)
            expect(block.keyOf(~found)).toEqual(key)
            expect(block.valueOf(row).byteLength).toBeGreaterThanOrEqual(0)
            expect(block.kindOf(row)).toBeLessThanOrEqual(2)
            for (const column of [block.rows, 2 * block.rows + 1]) {
              const start = block.table[HEADS + column + row] as number
              const end = block.table[HEADS + column + row + 1] as number
              expect(0 < start && start <= end && end <= raw.length).toBe(true)
            }
            expect(Number.isSafeInteger(block.timestampOf(row))).toBe(true)
            if (before !== undefined) expect(Buffer.compare(before, key)).toBeLessThanOrEqual(0)
            before = key
          }
          expect(block.memoryBytes).toBeLessThan(raw.length * 24 + 1000)
        }),
        { numRuns: 1500 * scale },
      )
    },
    timeout,
  )

  test(
    '40: indexes',
    () => {
      const builder = new IndexBuilder(0, 0)
      for (let i = 0; i < 30; i++) {
        const spans = i % 5 === 4
        builder.add(text(`key${100 + i - (spans ? 1 : 0)}`), spans ? 1000 - i : 0, 900 + i)
      }
      const raw = builder.build()
      const bounds = { level: 0, first: 0, count: 30, start: 0, end: 30_000 }
      expect(decodeIndex(raw, bounds, 'index').count).toBe(30)
      fc.assert(
        fc.property(changes, fc.uint8Array({ maxLength: 8 }), (list, key) => {
          const index = typed(() => decodeIndex(changed(raw, list), bounds, 'index'))
          if (index === undefined) return
          for (const timestamp of [-1, 500, Number.POSITIVE_INFINITY]) {
            const child = index.search(key, 0, key.length, timestamp)
            expect(child).toBeGreaterThanOrEqual(0)
            expect(child).toBeLessThan(30)
          }
          for (let child = 0; child < 30; child++) {
            expect(index.offsets[child + 1]).toBeGreaterThan(index.offsets[child] as number)
          }
          expect(index.offsets[30]).toBeLessThanOrEqual(bounds.end)
        }),
        { numRuns: 1500 * scale },
      )
    },
    timeout,
  )

  test('40: properties, filters and footers', async () => {
    const { file } = write([
      { key: text('a'), timestamp: 5, kind: 1, value: text('x') },
      { key: text('b'), timestamp: 3, kind: 0, value: text('') },
    ])
    const reader = await SstReader.open(memorySource(file))
    const identity = new FileIdentity('test')
    const footerBytes = 48
    const tail = file.length - reader.tailBytes
    const view = new DataView(file.buffer)
    const stored = view.getUint32(file.length - 32, true)
    const at = file.length - footerBytes - stored
    const raw = openBlock(file.slice(at, at + stored), identity, at, 1e6, 'properties')
    expect(decodeProperties(raw, at, 'properties').records).toBe(2)
    fc.assert(
      fc.property(changes, fc.nat(raw.length), (list, cut) => {
        typed(() => decodeProperties(changed(raw, list), at, 'properties'))
        typed(() => decodeProperties(raw.subarray(0, cut), at, 'properties'))
      }),
      { numRuns: 1500 * scale },
    )
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (content) => {
        typed(() => decodeFilter(content, 'filter'))?.mayContain(-1, -1)
      }),
    )
    // A whole file with a forged footer.
    await fc.assert(
      fc.asyncProperty(
        fc.record({
          fileId: fc.constantFrom('test', 'x'),
          fileBytes: fc.constantFrom(file.length, 0, 2 ** 53 - 1),
          tailBytes: fc.oneof(fc.nat(file.length), fc.constantFrom(0, 2 ** 32 - 1)),
          propertiesBytes: fc.oneof(fc.nat(file.length), fc.constantFrom(stored, 2 ** 32 - 1)),
        }),
        async (footer) => {
          const forged = new Uint8Array([
            ...file.subarray(0, file.length - footerBytes),
            ...encodeFooter(footer),
          ])
          const error = await SstReader.open(memorySource(forged)).then(
            () => undefined,
            (reason: unknown) => reason,
          )
          const same =
            footer.fileId === 'test' &&
            footer.fileBytes === file.length &&
            footer.propertiesBytes === stored &&
            footer.tailBytes >= file.length - tail
          if (!same) expect(isFirnError(error)).toBe(true)
        },
      ),
    )
  })

  test('37: unknown properties and sections are passed over if even, refused if odd', () => {
    const { summary } = write([{ key: text('a'), timestamp: 1, kind: 1, value: text('') }])
    const properties: Properties = {
      ...summary,
      dataBytes: 100,
      blocks: 1,
      indexLevels: 1,
      partitions: [],
      timestamps: true,
      codec: 0,
      blockBytes: 8192,
      sections: [{ id: 1, offset: 100, length: 50 }],
    }
    const decode = (bytes: Uint8Array) => decodeProperties(bytes, 1000, 'properties')
    const known = encodeProperties(properties)
    expect(decode(known).sections).toHaveLength(1)
    expect(decode(Uint8Array.of(...known, 10, 1, 77)).records).toBe(1)
    expect(() => decode(Uint8Array.of(...known, 9, 1, 77))).toThrow(/property 9 needs a newer/)
    const withSection = (id: number) =>
      encodeProperties({
        ...properties,
        sections: [...properties.sections, { id, offset: 150, length: 10 }],
      })
    expect(decode(withSection(4)).sections).toHaveLength(2)
    expect(() => decode(withSection(3))).toThrow(/section 3 needs a newer/)
    expect(() => decodeProperties(withSection(4), 159, 'properties')).toThrow(/out of bounds/)
  })

  test('40: a prefix that many rows share is in memory for a few of them at a time', async () => {
    const key = new Uint8Array(60_000).fill(7)
    const rows = Array.from({ length: 300 }, (_, i) => {
      return { key, timestamp: 1000 - i, kind: 1, value: new Uint8Array(0) }
    })
    const { file, summary } = write(rows, { blockBytes: 1 << 20 })
    expect([summary.dataBlocks, file.length < 250_000]).toEqual([1, true])
    const reader = await SstReader.open(memorySource(file))
    for (const options of [{}, { reverse: true }, { private: false }, { expectedRows: 300 }]) {
      const cursor = reader.cursor(options)
      let count = 0
      let longest = 0
      let status = cursor.seek(key, 0, key.length, true)
      for (; status !== END; status = cursor.next()) {
        if (status === PENDING) status = await cursor.load()
        longest = Math.max(longest, cursor.keyBytes.byteLength)
        if (cursor.keyEnd - cursor.keyStart === key.length) count++
      }
      expect(count).toBe(rows.length)
      expect(longest).toBeLessThan(4 * 1024 * 1024)
      cursor.close()
    }
  })

  test('40: compression bombs are refused before memory is taken', () => {
    const identity = new FileIdentity('bomb')
    const seal = (content: Uint8Array, rawLength: number, codec: number) => {
      const stored = new Uint8Array(content.length + TRAILER_BYTES)
      stored.set(content)
      sealBlock(stored, 0, content.length, rawLength, codec, identity, 0)
      return stored
    }
    const bomb = deflate(new Uint8Array(10_000_000))
    const open = (stored: Uint8Array, limit: number) => () =>
      openBlock(stored, identity, 0, limit, 'block')
    expect(open(seal(bomb, 10_000_000, CODEC_DEFLATE), 1 << 20)).toThrow(/out of bounds/)
    expect(open(seal(bomb, 5000, CODEC_DEFLATE), 1 << 20)).toThrow(/decompress/)
    expect(open(seal(new Uint8Array(8), 4_000_000_000, CODEC_LZ4), 2 ** 32)).toThrow(
      /out of bounds/,
    )
    expect(open(seal(new Uint8Array(8), 9, CODEC_NONE), 1 << 20)).toThrow(/out of bounds/)
    expect(open(seal(new Uint8Array(8), 7, CODEC_NONE), 1 << 20)).toThrow(/decompress/)
    expect(open(seal(new Uint8Array(8), 8, 3), 1 << 20)).toThrow(/codec 3 needs a newer release/)
    expect(open(new Uint8Array(3), 1 << 20)).toThrow(/can't hold a block/)
  })

  test('40: a raw length is not believed before the bytes are there', () => {
    const content = deflate(new Uint8Array(300_000).map((_, i) => (i * i) >>> 7))
    const stored = new Uint8Array(content.length + TRAILER_BYTES)
    stored.set(content)
    const identity = new FileIdentity('test')
    const rawLength = content.length * 1000
    sealBlock(stored, 0, content.length, rawLength, CODEC_DEFLATE, identity, 0)
    const { arrayBuffers } = process.memoryUsage()
    expect(() => openBlock(stored, identity, 0, 2 ** 30, 'block')).toThrow(/decompress/)
    expect(rawLength).toBeGreaterThan(128 * 1024 * 1024)
    expect(process.memoryUsage().arrayBuffers - arrayBuffers).toBeLessThan(64 * 1024 * 1024)
  })

  test('40: rows are bounded before offsets are allocated', () => {
    const raw = rawBlock(true)
    putU32(raw, 4, 0xffff_ffff)
    expect(() => decodeBlock(raw, undefined, 'block')).toThrow(/rows/)
  })
})
