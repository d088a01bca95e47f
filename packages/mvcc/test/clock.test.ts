import { TestEnv } from '@firn/env/testing'
import { describe, expect, test } from 'vitest'
import { MAX_TIMESTAMP, TimestampClock } from '../src/index.js'

const YEAR = 365 * 24 * 3600 * 1e6

describe('TimestampClock', () => {
  test('follows the wall clock while that is ahead of the log', () => {
    const env = new TestEnv({ now: 5_000_000 })
    const clock = new TimestampClock(env)
    expect(clock.next(0)).toBe(5_000_000)
    env.advance(1)
    expect(clock.next(5_000_000)).toBe(5_001_000)
  })

  test('23: counts on when the wall clock stands still or falls back', () => {
    const env = new TestEnv({ now: 5_000_000 })
    const clock = new TimestampClock(env)
    expect(clock.next(5_000_000)).toBe(5_000_001)
    env.setWallClock(-3 * YEAR)
    expect(clock.next(5_000_001)).toBe(5_000_002)
    env.setWallClock(0.5)
    expect(clock.next(5_000_002)).toBe(5_000_003)
  })

  test('23: increases through jumps by years either way, in whole microseconds', () => {
    const env = new TestEnv({ seed: 7 })
    const clock = new TimestampClock(env)
    let previous = 0
    for (let i = 0; i < 10_000; i++) {
      env.setWallClock(env.now() + (env.random() - 0.5) * 20 * YEAR)
      const next = clock.next(previous)
      expect(next).toBeGreaterThan(previous)
      expect(Number.isSafeInteger(next)).toBe(true)
      previous = next
    }
  })

  test('does not let a mad clock use up the numbers', () => {
    const env = new TestEnv({ now: 1000 })
    const clock = new TimestampClock(env)
    for (const mad of [Number.MAX_SAFE_INTEGER, Number.POSITIVE_INFINITY, Number.NaN]) {
      env.setWallClock(mad)
      expect(clock.next(1000)).toBe(1001)
    }
  })

  test('stops at the end of time', () => {
    const clock = new TimestampClock(new TestEnv())
    expect(() => clock.next(MAX_TIMESTAMP - 1)).toThrow('damaged')
    expect(() => clock.next(Number.NaN)).toThrow('damaged')
  })
})
