import { TestEnv } from '@firn/env/testing'
import { describe, expect, test } from 'vitest'
import { WritePace } from '../src/write-pace.js'

/** How a write gets to the disk. */
type Way = 'in place' | 'by a thread'

/** A disk and an event loop that take this long, in milliseconds, on the clock of a test. */
interface Times {
  inPlace: number
  byThread: number
  turn: number
}

const QUICK: Times = { inPlace: 0.1, byThread: 0.2, turn: 0.001 }

/** What a pace decides for some writes in a row. */
async function pacing(pace: WritePace, env: TestEnv, count: number, times: Times): Promise<Way[]> {
  const ways: Way[] = []
  env.yield = async () => env.advance(times.turn)
  for (let i = 0; i < count; i++) {
    const inPlace = pace.mayBlock() && (await pace.turn())
    const since = pace.now()
    env.advance(inPlace ? times.inPlace : times.byThread)
    if (inPlace) pace.took(since)
    else pace.tookByThread(since)
    ways.push(inPlace ? 'in place' : 'by a thread')
  }
  return ways
}

function countInPlace(ways: readonly Way[]): number {
  return ways.filter((way) => way === 'in place').length
}

describe('the pace of durable writes', () => {
  const paced = () => {
    const env = new TestEnv()
    const pace = new WritePace(env)
    return (count: number, times: Times) => pacing(pace, env, count, times)
  }

  test('is in place while the disk is quick, but for the first', async () => {
    const ways = await paced()(100, QUICK)
    expect(ways[0]).toBe('by a thread')
    expect(countInPlace(ways)).toBe(99)
  })

  test('never holds the thread up for a disk that is always slow', async () => {
    const ways = await paced()(10_000, { inPlace: 5, byThread: 5.1, turn: 0.001 })
    expect(countInPlace(ways)).toBe(0)
  })

  test('does four times for a disk that becomes slow, and goes back when it is quick', async () => {
    const run = paced()
    await run(1000, QUICK)
    expect(countInPlace(await run(1000, { inPlace: 5, byThread: 5.1, turn: 0.001 }))).toBe(4)
    expect(countInPlace(await run(1000, QUICK))).toBeGreaterThan(950)
  })

  test('forgives a disk that is slow now and then', async () => {
    const run = paced()
    let inPlace = 0
    for (let i = 0; i < 50; i++) {
      inPlace += countInPlace(await run(50, QUICK))
      inPlace += countInPlace(await run(1, { ...QUICK, inPlace: 4, byThread: 4.1 }))
    }
    expect(inPlace / (50 * 51)).toBeGreaterThan(0.95)
  })

  test('tries ever more rarely where writes in place alone are slow', async () => {
    const slow = { ...QUICK, inPlace: 0.9 }
    const run = paced()
    const [first, later] = [await run(1000, slow), await run(30_000, slow)]
    expect(countInPlace(first)).toBeGreaterThan(1)
    expect(countInPlace(first)).toBeLessThan(40)
    expect(countInPlace(later)).toBeGreaterThan(1)
    expect(countInPlace(later)).toBeLessThan(600)
  })

  test('leaves an event loop alone that has other things to do', async () => {
    expect(countInPlace(await paced()(10_000, { ...QUICK, turn: 0.2 }))).toBeLessThan(250)
  })
})
