import { type Env, isUlid, systemEnv, ulid } from '@firn/env'
import { TestEnv } from '@firn/env/testing'
import { MAX_TIMESTAMP } from '@firn/mvcc'
import { tempDirectory } from '@firn/test-support'
import { describe, expect, test } from 'vitest'
import { open } from '../../src/index.js'

const YEAR = 365 * 24 * 3600 * 1e6

/** The system, with another wall clock. */
function withClock(now: () => number): Env {
  return { ...systemEnv, now }
}

const CLOCKS: readonly (readonly [string, number])[] = [
  ['the first microsecond of 1970', 0],
  ['1969', -YEAR],
  ['long before 1970', -Number.MAX_SAFE_INTEGER],
  ['the year 9999', 8029 * YEAR],
  ['no number', Number.NaN],
]

const TYPED = { keys: 'utf8', values: 'utf8' } as const

describe('23: a machine whose clock is out of its mind', () => {
  for (const [name, micros] of CLOCKS) {
    for (const log of ['file', 'objects']) {
      test(`makes a database, writes, compacts and opens it again: ${name}, ?log=${log}`, async () => {
        const directory = tempDirectory()
        const location = `file:${directory}?log=${log}`
        const env = withClock(() => micros)
        const timestamps: number[] = []
        for (let round = 0; round < 2; round++) {
          await using db = await open(location, { env, compaction: 'inline' })
          const table = db.table('t', TYPED)
          for (const value of ['a', 'b']) {
            timestamps.push((await table.put('k', `${value}${round}`)).timestamp)
          }
          await db.compact()
          expect(await table.get('k')).toBe(`b${round}`)
          expect(await table.get('k', { at: { timestamp: timestamps[0] as number } })).toBe('a0')
        }
        expect(timestamps).toEqual([...new Set(timestamps)].sort((a, b) => a - b))
        expect(timestamps[0]).toBeGreaterThan(0)
        expect(timestamps.at(-1)).toBeLessThan(MAX_TIMESTAMP)
      })
    }
  }

  test('goes on from the log when the clock falls back to 1970', async () => {
    const directory = tempDirectory()
    let micros = 1_700_000_000_000_000
    const env = withClock(() => micros)
    await using db = await open(`file:${directory}`, { env })
    const table = db.table('t', TYPED)
    const before = await table.put('k', 'before')
    micros = 0
    const after = await table.put('k', 'after')
    expect(after.timestamp).toBe(before.timestamp + 1)
    expect(await table.get('k', { at: { timestamp: before.timestamp } })).toBe('before')
    expect(await table.get('k')).toBe('after')
  })

  test('opens with a test’s clock that stands at 0', async () => {
    for (const location of ['memory:', 'memory:clock-at-zero']) {
      await using db = await open(location, { env: new TestEnv({ now: 0 }) })
      const table = db.table('t', TYPED)
      const first = await table.put('k', 'v')
      expect((await table.put('k', 'w')).timestamp).toBe(first.timestamp + 1)
    }
  })

  test('makes ids of their usual form', () => {
    for (const [, micros] of CLOCKS) expect(isUlid(ulid(withClock(() => micros)))).toBe(true)
  })
})
