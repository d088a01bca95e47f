import { expect, test } from 'vitest'
import { PartBuffer } from '../src/internal/part-buffer.js'
import { MAX_PART_BYTES, MAX_PARTS, MIN_PART_BYTES, partSize } from '../src/internal/part-size.js'

test('grows parts so that ten thousand hold the largest object, from the smallest parts on', () => {
  const sizes = Array.from({ length: MAX_PARTS }, (_, i) => partSize(i + 1, MIN_PART_BYTES))
  expect(sizes.reduce((sum, size) => sum + size)).toBeGreaterThanOrEqual(5 * 2 ** 40)
  expect(new Set(sizes.slice(0, 1000))).toEqual(new Set([MIN_PART_BYTES]))
  expect(Math.max(...sizes)).toBeLessThan(1.2 * 2 ** 30)
  expect(partSize(MAX_PARTS, MAX_PART_BYTES)).toBe(MAX_PART_BYTES)
})

test('gathers what is written into parts, whatever its pieces', () => {
  const bytes = Uint8Array.from({ length: 300_000 }, (_, i) => (i * 7) >> 3)
  for (const piece of [1, 4096, 65_537, 100_000, 300_000]) {
    const buffer = new PartBuffer()
    const parts: Uint8Array[] = []
    for (let at = 0; at < bytes.length; ) {
      if (buffer.length === 100_000) parts.push(buffer.take())
      at += buffer.fill(bytes.subarray(0, at + piece), at, 100_000)
    }
    parts.push(buffer.take())
    expect(parts.map((part) => part.length)).toEqual([100_000, 100_000, 100_000])
    expect(Buffer.concat(parts).equals(bytes)).toBe(true)
  }
})
