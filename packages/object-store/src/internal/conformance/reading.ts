import { beforeAll, describe, expect, test } from 'vitest'
import type { ByteRange } from '../../object-store.js'
import { expectBytes, expectCode, noise, text } from './bytes.js'
import type { Bench } from './conformance.js'

const SIZE = 1000
const LARGE = 9 * 1024 * 1024 + 13

export function readingTests(bench: Bench): void {
  describe('reading', () => {
    const content = noise(SIZE, 1)
    let key = ''
    let empty = ''
    beforeAll(async () => {
      const folder = bench.folder()
      key = `${folder}object`
      empty = `${folder}empty`
      await bench.seed(key, content)
      await bench.seed(empty, new Uint8Array(0))
    })

    for (const immutable of [false, true]) {
      const how = immutable ? ', as immutable' : ''

      test(`returns a whole object with its size and etag${how}`, async () => {
        const object = await bench.store.get(key, { immutable })
        expectBytes(object.bytes, content)
        expect(object).toMatchObject({ key, size: SIZE, offset: 0 })
        expect(object.etag).not.toBe('')
        expect(await bench.store.head(key)).toEqual({ key, size: SIZE, etag: object.etag })
      })

      const ranges: [string, ByteRange, number, number][] = [
        ['from the start', { start: 0, end: 10 }, 0, 10],
        ['in the middle', { start: 10, end: 11 }, 10, 11],
        ['without an end', { start: 900 }, 900, SIZE],
        ['of everything', { start: 0 }, 0, SIZE],
        ['past the end', { start: 990, end: 2000 }, 990, SIZE],
        ['that begins at the end', { start: SIZE }, SIZE, SIZE],
        ['that begins past the end', { start: SIZE + 1, end: SIZE + 5 }, SIZE, SIZE],
        ['that is empty', { start: 5, end: 5 }, 5, 5],
        ['of the last bytes', { start: -8 }, SIZE - 8, SIZE],
        ['of more last bytes than there are', { start: -5000 }, 0, SIZE],
        ['of the last bytes up to an end', { start: -8, end: SIZE - 4 }, SIZE - 8, SIZE - 4],
      ]
      for (const [what, range, start, end] of ranges) {
        test(`returns a range ${what}${how}`, async () => {
          const object = await bench.store.get(key, { range, immutable })
          expectBytes(object.bytes, content.subarray(start, end))
          expect(object).toMatchObject({ key, size: SIZE, offset: start })
          expect(object.etag).toBe((await bench.store.head(key))?.etag)
        })
      }

      for (const range of [undefined, { start: 0 }, { start: -4 }, { start: 2, end: 9 }]) {
        test(`returns nothing of an empty object, range ${JSON.stringify(range)}${how}`, async () => {
          const object = await bench.store.get(empty, { range, immutable })
          expect(object.bytes.length).toBe(0)
          expect(object).toMatchObject({ key: empty, size: 0, offset: 0 })
        })
      }

      test(`rejects a missing object${how}`, async () => {
        await expectCode(bench.store.get(`${key}-not`, { immutable }), 'FIRN_OBJECT_NOT_FOUND')
        const below = bench.store.get(`${key}/not`, { immutable })
        await expectCode(below, 'FIRN_OBJECT_NOT_FOUND')
      })

      test(`reads only the content that ifMatch names${how}`, async () => {
        const { etag } = await bench.store.get(key)
        const range = { start: 1, end: 3 }
        const same = await bench.store.get(key, { ifMatch: etag, range, immutable })
        expectBytes(same.bytes, content.subarray(1, 3))
        const other = bench.store.get(key, { ifMatch: `${etag}x`, range, immutable })
        await expectCode(other, 'FIRN_PRECONDITION_FAILED')
      })

      test(`gives its caller bytes that are the caller's own${how}`, async () => {
        const first = await bench.store.get(key, { immutable })
        first.bytes.fill(0)
        expectBytes((await bench.store.get(key, { immutable })).bytes, content)
        // The buffer, too, belongs to the caller, which may transfer it.
        expect(first.bytes.buffer.byteLength).toBeLessThan(SIZE * 2)
      })
    }

    test('serves reads at the same time', async () => {
      const starts = Array.from({ length: 200 }, (_, i) => (i * 37) % (SIZE - 10))
      const objects = await Promise.all(
        starts.map((start) =>
          bench.store.get(key, { range: { start, end: start + 10 }, immutable: start % 2 === 0 }),
        ),
      )
      for (const [i, object] of objects.entries()) {
        const start = starts[i] ?? 0
        expectBytes(object.bytes, content.subarray(start, start + 10))
      }
    })

    test('says undefined of a missing object', async () => {
      expect(await bench.store.head(`${key}-not`)).toBeUndefined()
      expect(await bench.store.head(`${key}/not`)).toBeUndefined()
      expect(await bench.store.head(bench.folder().slice(0, -1))).toBeUndefined()
    })

    test('reads a large object, whole and in part', async () => {
      const large = `${bench.folder()}large`
      const bytes = noise(LARGE, 2)
      await bench.seed(large, bytes)
      expectBytes((await bench.store.get(large)).bytes, bytes)
      const start = LARGE - 3_000_000
      const tail = await bench.store.get(large, { range: { start: -3_000_000 }, immutable: true })
      expectBytes(tail.bytes, bytes.subarray(start))
      expect(tail).toMatchObject({ size: LARGE, offset: start })
    })

    test('keeps keys apart that differ in case, in marks, or that are the beginning of another', async () => {
      const folder = bench.folder()
      const keys = ODD_KEYS.map((odd) => folder + odd)
      for (const odd of keys) await bench.seed(odd, text(odd))
      for (const odd of keys) {
        expectBytes((await bench.store.get(odd)).bytes, text(odd))
        expect((await bench.store.head(odd))?.size).toBe(odd.length)
      }
    })
  })
}

/** Keys that a careless mapping to files, URLs or patterns would confuse. */
export const ODD_KEYS: readonly string[] = [
  'a',
  'a/b',
  'a/b/c',
  'a.b',
  'a.b/c',
  'A',
  'A/b',
  'a/B',
  'a-b',
  'a+b',
  'a=b@c',
  'a.',
  'a..',
  '..a',
  '...',
  '.hidden',
  '-',
  '__proto__',
  'constructor',
  'FIRN',
  'firn',
  'Firn/x',
  'FIRN/x',
  'nul',
  'NUL.txt',
  'aux/con',
  'COM1',
  '01HZX3V5Q6W7E8R9T0Y1A2S3D4',
  '01hzx3v5q6w7e8r9t0y1a2s3d4',
  '01HZX3V5Q6W7E8R9T0Y1A2S3D4/00000000000000000001.sst',
  '00000000000000000001',
  '00000000000000000001/x',
  `${'long-'.repeat(40)}/${'segment.'.repeat(25)}/${'s'.repeat(200)}`,
]
