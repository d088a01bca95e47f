import fc from 'fast-check'
import { compressBlock, compressBound, decompressBlock } from 'lz4js'
import { describe, expect, test } from 'vitest'
import { Lz4Compressor } from '../src/internal/lz4-compressor.js'
import { lz4Decompress } from '../src/internal/lz4-decompressor.js'
import { text } from './files.js'

const compressor = new Lz4Compressor()

function compress(bytes: Uint8Array): Uint8Array {
  // Placed off the start of a larger buffer, whose other bytes must not matter.
  const source = new Uint8Array(bytes.length + 11).fill(7)
  source.set(bytes, 5)
  const target = new Uint8Array(Lz4Compressor.bound(bytes.length) + 3)
  const view = new DataView(source.buffer)
  const end = compressor.compress(source, view, 5, 5 + bytes.length, target, 3)
  expect(end - 3).toBeLessThanOrEqual(Lz4Compressor.bound(bytes.length))
  return target.slice(3, end)
}

function decompress(block: Uint8Array, length: number): Uint8Array | undefined {
  const raw = new Uint8Array(length)
  return lz4Decompress(block, 0, block.length, raw) ? raw : undefined
}

/** Literals, runs, near and far repeats: inputs on which compressors fail. */
const content = fc
  .array(
    fc.oneof(
      fc.uint8Array({ maxLength: 40 }).map((bytes) => () => bytes),
      fc.uint8Array({ minLength: 100, maxLength: 400 }).map((bytes) => () => bytes),
      fc.tuple(fc.nat(255), fc.nat(900)).map(([byte, length]) => () => {
        return new Uint8Array(length).fill(byte)
      }),
      fc.tuple(fc.nat(3000), fc.nat(700)).map(([back, length]) => (before: number[]) => {
        const at = Math.max(0, before.length - back)
        return Uint8Array.from(before.slice(at, at + length))
      }),
    ),
    { maxLength: 30 },
  )
  .map((parts) => {
    const bytes: number[] = []
    for (const part of parts) bytes.push(...part(bytes))
    return Uint8Array.from(bytes)
  })

// Output of `lz4 -1` and `lz4 -9` 1.9.4 for the text below: the single block of each frame.
const REFERENCE = {
  '-1':
    'f0164669726e20697320736e6f7720746861742073757276697665642061207965617220616e642100ff0d6f6e' +
    '206974732077617920746f206265636f6d696e67206963652e204500771f610100ff7df17a3031343931363235' +
    '333634393634383131303031323131343431363931393632323532353632383933323433363134303034343134' +
    '383435323935373636323536373637323937383438343139303039363131303234313038393131353631323235' +
    '3132393631333639313434343135323131363030313638313137363431383439313933363230321a00f1dd3232' +
    '303932333034323430313235303032363031323730343238303932393136333032353331333633323439333336' +
    '343334383133363030333732313338343433393639343039363432323534333536343438393436323434373631' +
    '343930303530343135313834353332393534373635363235353737363539323936303834363234313634303036' +
    '353631363732343638383937303536373232353733393637353639373734343739323138313030383238313834' +
    '363438363439383833363930323539323136393430393936303439383031313030303031303230313130343034' +
    '3130363039313038312a01603531313233367001d1393131363634313138383131328601f00133323131323534' +
    '3431323736393132394701f0083232353133343536313336383931333932343134313631',
  '-9':
    'f0164669726e20697320736e6f7720746861742073757276697665642061207965617220616e642100ff0d6f6e' +
    '206974732077617920746f206265636f6d696e67206963652e204500771f610100ff7df17a3031343931363235' +
    '333634393634383131303031323131343431363931393632323532353632383933323433363134303034343134' +
    '383435323935373636323536373637323937383438343139303039363131303234313038393131353631323235' +
    '3132393631333639313434343135323131363030313638313137363431383439313933363230321a00f0703232' +
    '303932333034323430313235303032363031323730343238303932393136333032353331333633323439333336' +
    '343334383133363030333732313338343433393639343039363432323534333536343438393436323434373631' +
    '34393030353034313531383435333239353437363536323535373736353932393630382b00f135313634303036' +
    '353631363732343638383937303536373232353733393637353639373734343739323138313030383238313834' +
    '36343836343938383336393032353932318500703936303439383052015030303130320a00c134303431303630' +
    '39313038312a01603531313233367001d1393131363634313138383131328601f0013332313132353434313237' +
    '36393132394701005001303334355101c0383931333932343134313631',
}
const REFERENCE_TEXT = text(
  'Firn is snow that survived a year and is on its way to becoming ice. '.repeat(3) +
    'a'.repeat(400) +
    Array.from({ length: 120 }, (_, i) => i * i).join(''),
)

describe('LZ4', () => {
  test('decompresses what it compressed', () => {
    fc.assert(
      fc.property(content, (bytes) => {
        expect(decompress(compress(bytes), bytes.length)).toEqual(bytes)
      }),
      { numRuns: 400 },
    )
  })

  test('reads the blocks of the reference implementation', () => {
    for (const hex of Object.values(REFERENCE)) {
      const block = Uint8Array.from(Buffer.from(hex, 'hex'))
      expect(decompress(block, REFERENCE_TEXT.length)).toEqual(REFERENCE_TEXT)
    }
  })

  test('writes what an independent implementation reads, and reads what that writes', () => {
    fc.assert(
      fc.property(content, (bytes) => {
        const mine = compress(bytes)
        const raw = new Uint8Array(bytes.length)
        if (bytes.length > 0) {
          expect(decompressBlock(mine, raw, 0, mine.length, 0)).toBe(bytes.length)
          expect(raw).toEqual(bytes)
        }
        const theirs = new Uint8Array(compressBound(bytes.length))
        const length = compressBlock(bytes, theirs, 0, bytes.length, new Uint32Array(1 << 16))
        // 0 means that it didn't compress.
        if (length > 0) expect(decompress(theirs.slice(0, length), bytes.length)).toEqual(bytes)
      }),
      { numRuns: 200 },
    )
  })

  test('keeps the rules of the format at the end of a block', () => {
    // The last five bytes are literals; a match never begins in the last twelve.
    for (let length = 0; length < 64; length++) {
      const block = compress(new Uint8Array(length))
      if (length < 13) expect(block.length).toBe(length + 1)
      else expect((block[block.length - 6] as number) >> 4).toBeGreaterThanOrEqual(5)
    }
  })

  test('reaches as far back as two bytes tell, and no farther', () => {
    for (const gap of [65_535, 65_536]) {
      const bytes = new Uint8Array(gap + 400)
      let state = 9
      for (let i = 0; i < bytes.length; i++) {
        state = (Math.imul(state, 1664525) + 1013904223) >>> 0
        bytes[i] = state >>> 24
      }
      bytes.set(bytes.subarray(0, 300), gap)
      expect(decompress(compress(bytes), bytes.length)).toEqual(bytes)
    }
  })

  test('forgets earlier inputs when its positions run out', () => {
    const own = new Lz4Compressor()
    const source = new Uint8Array(1 << 20)
    const view = new DataView(source.buffer)
    const target = new Uint8Array(Lz4Compressor.bound(source.length))
    let end = 0
    for (let i = 0; i < 1100; i++) {
      source[i] = i
      end = own.compress(source, view, 0, source.length, target, 0)
    }
    expect(decompress(target.slice(0, end), source.length)).toEqual(source)
  }, 60_000)

  test('never writes outside of the target, whatever the bytes say', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array({ maxLength: 60 }),
          content.map((bytes) => compress(bytes)),
        ),
        fc.nat(2000),
        fc.array(fc.tuple(fc.nat(5000), fc.nat(255)), { maxLength: 4 }),
        (block, length, changes) => {
          const damaged = block.slice()
          for (const [at, byte] of changes) if (at < damaged.length) damaged[at] = byte
          const buffer = new Uint8Array(length + 64).fill(0xee)
          lz4Decompress(damaged, 0, damaged.length, buffer.subarray(32, 32 + length))
          expect(buffer.subarray(0, 32).every((byte) => byte === 0xee)).toBe(true)
          expect(buffer.subarray(32 + length).every((byte) => byte === 0xee)).toBe(true)
        },
      ),
      { numRuns: 800 },
    )
  })

  test('refuses blocks that refer to what is not there, or end early', () => {
    const refused = [
      [0x00, 0x00, 0x00], // distance 0
      [0x10, 0x61, 0x02, 0x00], // a match before the beginning
      [0x10], // literals missing
      [0xf0, 0xff], // a length without end
      [0x1f, 0x61, 0x01, 0x00, 0xff], // likewise, of a match
      [0x10, 0x61, 0x01], // half a distance
    ]
    for (const bytes of refused) {
      for (let length = 0; length < 40; length++) {
        expect(decompress(Uint8Array.from(bytes), length)).toBeUndefined()
      }
    }
    expect(decompress(Uint8Array.of(0x10, 0x61), 1)).toEqual(Uint8Array.of(0x61))
    expect(decompress(Uint8Array.of(0x10, 0x61), 2)).toBeUndefined()
    expect(decompress(Uint8Array.of(0x20, 0x61, 0x61), 1)).toBeUndefined()
  })
})
