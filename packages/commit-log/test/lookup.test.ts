import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { entryAt, entryAtTime, MemoryCommitLog } from '../src/index.js'
import { FaultyCommitLog } from '../src/testing.js'
import { newEntry } from './fixtures.js'

describe('the entry of a moment', () => {
  test('is the last one not after it, found by few reads, whatever the pace of commits', async () => {
    const gaps = fc.array(
      fc.oneof(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 10 ** 9 })),
      {
        maxLength: 300,
      },
    )
    await fc.assert(
      fc.asyncProperty(
        gaps,
        fc.nat(),
        fc.integer({ min: -1, max: 1 }),
        async (steps, pick, off) => {
          const log = new MemoryCommitLog()
          const times: number[] = []
          let now = 1000
          for (const [i, step] of steps.entries()) {
            now += step
            times.push(now)
            await log.append({ ...newEntry(i + 1, ''), timestamp: now })
          }
          let reads = 0
          const counting = new FaultyCommitLog(log, { read: () => void reads++ })
          const time = (times[pick % Math.max(1, times.length)] ?? 1000) + off
          const newest = { version: times.length, timestamp: now }
          const found = await entryAtTime(counting, time, { newest })
          expect(found?.version ?? 0).toBe(times.filter((at) => at <= time).length)
          expect(reads).toBeLessThanOrEqual(5 + 2 * Math.ceil(Math.log2(times.length + 1)))
        },
      ),
    )
  })

  test('is asked for with a version that can be one', async () => {
    const log = new MemoryCommitLog()
    for (const version of [0, -1, 1.5, Number.NaN]) {
      await expect(entryAt(log, version)).rejects.toMatchObject({ code: 'FIRN_INVALID_ARGUMENT' })
    }
  })
})
