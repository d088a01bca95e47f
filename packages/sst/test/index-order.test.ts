import { compareBytes } from '@firn/bytes'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { IndexBlock } from '../src/internal/index-block.js'

// Bytes with ties at zero padding and past the eight bytes of a head.
const suffix = fc.oneof(
  fc.array(fc.constantFrom(0, 1, 255), { maxLength: 3 }),
  fc
    .array(fc.constantFrom(0, 200), { maxLength: 2 })
    .map((tail) => [7, 7, 7, 7, 7, 7, 7, 7, ...tail]),
)

test('says of separators whether each comes after the one before it', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(suffix, fc.nat(3)), { minLength: 1, maxLength: 6 }),
      fc.boolean(),
      (separators, timed) => {
        const suffixes = [[], ...separators.map(([bytes]) => bytes)]
        const offsets = [0]
        for (const bytes of suffixes) offsets.push((offsets.at(-1) as number) + bytes.length)
        const timestamps = [Number.POSITIVE_INFINITY, ...separators.map(([, time]) => time)]
        const index = new IndexBlock(
          0,
          0,
          Uint8Array.of(1),
          Uint8Array.from(suffixes.flat()),
          Int32Array.from(offsets),
          Float64Array.from({ length: suffixes.length + 1 }, (_, i) => i),
          timed ? Float64Array.from(timestamps) : undefined,
        )
        const ordered = suffixes.every((bytes, i) => {
          if (i < 2) return true
          const before = Uint8Array.from(suffixes[i - 1] ?? [])
          const order = compareBytes(before, Uint8Array.from(bytes))
          if (order !== 0) return order < 0
          return timed && (timestamps[i] ?? 0) < (timestamps[i - 1] ?? 0)
        })
        expect(index.isInOrder()).toBe(ordered)
      },
    ),
    { numRuns: 2000 },
  )
})
