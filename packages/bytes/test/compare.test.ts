import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  commonPrefixLength,
  compareBytes,
  compareRanges,
  equalRanges,
  prefixEnd,
} from '../src/index.js'

// Few different bytes, so that long common prefixes occur.
const bytes = () =>
  fc
    .array(fc.constantFrom(0, 1, 0x7f, 0x80, 0xfe, 0xff), { maxLength: 12 })
    .map((list) => Uint8Array.from(list))

describe('comparison', () => {
  test('orders as Buffer.compare does, whatever stands around the ranges', () => {
    fc.assert(
      fc.property(bytes(), bytes(), bytes(), bytes(), bytes(), (a, b, before, between, after) => {
        const expected = Buffer.compare(a, b)
        expect(Math.sign(compareBytes(a, b))).toBe(expected)
        const inA = Uint8Array.of(...before, ...a, ...between)
        const inB = Uint8Array.of(...between, ...after, ...b, ...before)
        const aStart = before.length
        const bStart = between.length + after.length
        const ranges = [inA, aStart, aStart + a.length, inB, bStart, bStart + b.length] as const
        expect(Math.sign(compareRanges(...ranges))).toBe(expected)
        expect(equalRanges(...ranges)).toBe(expected === 0)
        let common = 0
        while (common < a.length && common < b.length && a[common] === b[common]) common++
        expect(commonPrefixLength(...ranges)).toBe(common)
      }),
      { numRuns: 2000 },
    )
  })

  test('puts a prefix before what it begins, and the empty string first', () => {
    expect(compareBytes(Uint8Array.of(1, 2), Uint8Array.of(1, 2, 0))).toBeLessThan(0)
    expect(compareBytes(Uint8Array.of(), Uint8Array.of(0))).toBeLessThan(0)
    expect(compareBytes(Uint8Array.of(), Uint8Array.of())).toBe(0)
  })

  test('takes bytes for unsigned', () => {
    expect(compareBytes(Uint8Array.of(0x80), Uint8Array.of(0x7f))).toBeGreaterThan(0)
  })
})

describe('prefixEnd', () => {
  test('ends exactly the range of keys with the prefix', () => {
    fc.assert(
      fc.property(bytes(), bytes(), (prefix, key) => {
        const end = prefixEnd(prefix)
        const starts =
          compareBytes(key, prefix) >= 0 && (end === undefined || compareBytes(key, end) < 0)
        expect(starts).toBe(
          prefix.length <= key.length && compareBytes(prefix, key.subarray(0, prefix.length)) === 0,
        )
      }),
      { numRuns: 2000 },
    )
  })

  test('has none for an empty prefix and for all 0xff, and leaves its argument alone', () => {
    expect(prefixEnd(Uint8Array.of())).toBeUndefined()
    expect(prefixEnd(Uint8Array.of(0xff, 0xff))).toBeUndefined()
    const prefix = Uint8Array.of(1, 0xff)
    expect(prefixEnd(prefix)).toEqual(Uint8Array.of(2))
    expect(prefix).toEqual(Uint8Array.of(1, 0xff))
  })
})
