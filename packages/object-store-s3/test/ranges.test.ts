import { type ByteRange, MemoryObjectStore } from '@firn/object-store'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { S3ObjectStore } from '../src/index.js'
import { clientConfig, hasS3, newBucket } from './real-s3.ts'

const SIZES = [0, 1, 20]

const ranges: fc.Arbitrary<ByteRange> = fc
  .record(
    { start: fc.integer({ min: -25, max: 25 }), end: fc.nat({ max: 25 }) },
    { requiredKeys: ['start'] },
  )
  .filter(({ start, end }) => start < 0 || end === undefined || end >= start)

describe.skipIf(!hasS3)('ranges', () => {
  test('mean on S3 what they mean in memory', async () => {
    const store = new S3ObjectStore({ bucket: await newBucket(), clientConfig: clientConfig() })
    const memory = new MemoryObjectStore()
    for (const size of SIZES) {
      const bytes = Uint8Array.from({ length: size }, (_, i) => i)
      await store.put(`${size}`, bytes)
      await memory.put(`${size}`, bytes)
    }
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...SIZES), ranges, async (size, range) => {
        const { etag: _, ...read } = await store.get(`${size}`, { range })
        const { etag: __, ...expected } = await memory.get(`${size}`, { range })
        expect(read).toEqual(expected)
      }),
      { numRuns: 200 },
    )
    await store.close()
  })
})
