import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import * as node from '../src/internal/deflate-node.js'
import * as portable from '../src/internal/deflate-portable.js'

const bytes = fc.oneof(
  fc.uint8Array({ maxLength: 300 }),
  fc.tuple(fc.uint8Array({ maxLength: 20 }), fc.nat(400)).map(([part, times]) => {
    const whole = new Uint8Array(part.length * times)
    for (let i = 0; i < times; i++) whole.set(part, i * part.length)
    return whole
  }),
)

describe('deflate', () => {
  for (const [name, writer] of Object.entries({ node, portable })) {
    test(`of ${name} is read by both`, () => {
      fc.assert(
        fc.property(bytes, (raw) => {
          const deflated = writer.deflate(raw)
          expect(node.inflate(deflated, raw.length)).toEqual(raw)
          expect(portable.inflate(deflated, raw.length)).toEqual(raw)
        }),
      )
    })
  }

  for (const [name, reader] of Object.entries({ node, portable })) {
    test(`of another length or of nonsense is refused by ${name}`, () => {
      const raw = new Uint8Array(5000).fill(3)
      const deflated = node.deflate(raw)
      expect(reader.inflate(deflated, 4999)).toBeUndefined()
      expect(reader.inflate(deflated, 5001)).toBeUndefined()
      expect(reader.inflate(deflated, 0)).toBeUndefined()
      expect(reader.inflate(Uint8Array.of(0xff, 0xff, 0xff), 10)).toBeUndefined()
      expect(reader.inflate(deflated.subarray(0, 5), 5000)).toBeUndefined()
      fc.assert(
        fc.property(fc.uint8Array({ maxLength: 100 }), fc.nat(300), (nonsense, length) => {
          const inflated = reader.inflate(nonsense, length)
          if (inflated !== undefined) expect(inflated.length).toBe(length)
        }),
      )
    })
  }

  test('keeps no more memory than the block alive', () => {
    // Small ones would be parts of Node's buffer pool: of 8 KiB, or 64 KiB since Node 24.
    for (const length of [100, 2000, 8192, 40_000]) {
      const raw = new Uint8Array(length).fill(3)
      for (const reader of [node, portable]) {
        const inflated = reader.inflate(reader.deflate(raw), raw.length)
        expect(inflated?.buffer.byteLength).toBeLessThan(length + 256)
      }
    }
  })
})
