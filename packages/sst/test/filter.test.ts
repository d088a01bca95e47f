import { hashRange } from '@firn/bytes'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { buildFilter, decodeFilter } from '../src/internal/filter.js'
import { KeyHash } from '../src/internal/filter-hash.js'
import { text } from './files.js'

function hashOf(key: Uint8Array): [number, number] {
  const hash = new KeyHash()
  hash.hash(key, 0, key.length)
  return [hash.first >>> 0, hash.second >>> 0]
}

describe('the hash of filters', () => {
  test('is what it was', () => {
    const lines = ['', 'a', 'ab', 'abc', 'abcd', 'key00000000000042'].map((key) => {
      const [first, second] = hashOf(text(key))
      return `${key}: ${first.toString(16)} ${second.toString(16)}`
    })
    expect(lines).toEqual([
      ': d35dcefe 6a1f5b7e',
      'a: a652dfb 62ea171c',
      'ab: 2ed33654 fd9d6f02',
      'abc: f6c47eb9 d9d6ccba',
      'abcd: fa4db9df 7574aa79',
      'key00000000000042: 2c9f393a d303649a',
    ])
  })

  test('is MurmurHash3 in its first lane', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (key) => {
        expect(hashOf(key)[0]).toBe(hashRange(key, 0, key.length, 0x4669726e))
      }),
    )
  })

  test('does not depend on what is around the key', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), fc.nat(7), (key, before) => {
        const around = new Uint8Array(key.length + before + 5).fill(0xa5)
        around.set(key, before)
        const hash = new KeyHash()
        hash.hash(around, before, before + key.length)
        expect([hash.first >>> 0, hash.second >>> 0]).toEqual(hashOf(key))
      }),
    )
  })

  test('has lanes that do not follow each other', () => {
    // Keys that differ in one digit: lanes that moved together would share many bit differences.
    const seen = new Set<string>()
    let same = 0
    for (let i = 0; i < 100_000; i++) {
      const [first, second] = hashOf(text(`key${i}`))
      if ((first & 0xffff) === (second & 0xffff)) same++
      seen.add(`${first} ${second}`)
    }
    expect(seen.size).toBe(100_000)
    // 1.5 expected.
    expect(same).toBeLessThan(10)
  })
})

describe('filters', () => {
  test('never deny a key, and take more bits for fewer false positives', () => {
    const count = 20_000
    const pairs = new Int32Array(2 * count)
    for (let i = 0; i < count; i++) {
      const [first, second] = hashOf(text(`present/${i}`))
      pairs[2 * i] = first
      pairs[2 * i + 1] = second
    }
    const rates = [2, 5, 10, 15, 20].map((bitsPerKey) => {
      const filter = decodeFilter(buildFilter(pairs, count, bitsPerKey), 'filter')
      let passed = 0
      for (let i = 0; i < count; i++) {
        expect(filter?.mayContain(pairs[2 * i] as number, pairs[2 * i + 1] as number)).toBe(true)
        if (filter?.mayContain(...hashOf(text(`absent/${i}`)))) passed++
      }
      return (passed / count) * 100
    })
    const limits = [45, 11, 1.3, 0.3, 0.15]
    for (const [i, rate] of rates.entries()) expect(rate).toBeLessThan(limits[i] as number)
  })

  test('of another algorithm are gone without', () => {
    const content = buildFilter(new Int32Array(2), 1, 10)
    content[0] = 2
    expect(decodeFilter(content, 'filter')).toBeUndefined()
  })
})
