import { crc32 as zlibCrc32 } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { crc32, hashRange, utf8Encode } from '../src/index.js'
import { crc32 as nodeCrc32 } from '../src/internal/crc32-node.js'
import { crc32 as portableCrc32 } from '../src/internal/crc32-portable.js'

const seed = () => fc.integer({ min: 0, max: 0xffffffff })

describe('crc32', () => {
  test('gives the check values of the polynomial', () => {
    for (const implementation of [crc32, nodeCrc32, portableCrc32]) {
      expect(implementation(utf8Encode('123456789'))).toBe(0xcbf43926)
      expect(implementation(new Uint8Array(0))).toBe(0)
      expect(implementation(new Uint8Array(0), 0xdeadbeef)).toBe(0xdeadbeef)
      expect(implementation(new Uint8Array(32).fill(0xff))).toBe(0xff6cab0b)
    }
  })

  test('is the same from the table and from zlib, at every length and seed', () => {
    for (let length = 0; length < 600; length++) {
      const bytes = Uint8Array.from({ length }, (_, i) => (i * 151 + length) & 0xff)
      const expected = zlibCrc32(bytes, length * 7919)
      expect(portableCrc32(bytes, length * 7919)).toBe(expected)
      expect(nodeCrc32(bytes, length * 7919)).toBe(expected)
    }
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), seed(), (bytes, from) => {
        expect(portableCrc32(bytes, from)).toBe(zlibCrc32(bytes, from))
      }),
    )
  })

  test('goes on from the checksum of what came before', () => {
    fc.assert(
      fc.property(fc.uint8Array(), fc.uint8Array(), (a, b) => {
        expect(crc32(b, crc32(a))).toBe(crc32(Uint8Array.of(...a, ...b)))
      }),
    )
  })
})

describe('hashRange', () => {
  test('is MurmurHash3_x86_32', () => {
    // Vectors of the reference implementation: https://stackoverflow.com/a/31929528
    const vectors: [string, number, number][] = [
      ['', 0, 0],
      ['', 1, 0x514e28b7],
      ['', 0xffffffff, 0x81f16f39],
      ['aaaa', 0x9747b28c, 0x5a97808a],
      ['aaa', 0x9747b28c, 0x283e0130],
      ['aa', 0x9747b28c, 0x5d211726],
      ['a', 0x9747b28c, 0x7fa09ea6],
      ['abcd', 0x9747b28c, 0xf0478627],
      ['Hello, world!', 0x9747b28c, 0x24884cba],
      ['ππππππππ', 0x9747b28c, 0xd58063c1],
      ['The quick brown fox jumps over the lazy dog', 0x9747b28c, 0x2fa826cd],
    ]
    for (const [text, from, expected] of vectors) {
      const bytes = utf8Encode(text)
      expect(hashRange(bytes, 0, bytes.length, from), JSON.stringify(text)).toBe(expected)
    }
  })

  test('depends on the range alone, not on what stands around it', () => {
    fc.assert(
      fc.property(fc.uint8Array(), fc.uint8Array(), fc.uint8Array(), seed(), (a, b, c, from) => {
        const around = Uint8Array.of(...a, ...b, ...c)
        expect(hashRange(around, a.length, a.length + b.length, from)).toBe(
          hashRange(b, 0, b.length, from),
        )
      }),
    )
  })
})
