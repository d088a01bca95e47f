import { getEventListeners } from 'node:events'
import { describe, expect, test } from 'vitest'
import { InvalidArgumentError } from '../src/index.js'
import { TestEnv } from '../src/testing.js'

describe('TestEnv', () => {
  test('draws the same numbers and bytes again under the same seed', () => {
    const draw = (seed: number) => {
      const env = new TestEnv({ seed })
      return [env.random(), env.random(), ...env.randomBytes(8), env.random()]
    }
    expect(draw(7)).toEqual(draw(7))
    expect(draw(7)).not.toEqual(draw(8))
    for (const value of draw(7).slice(0, 2)) {
      expect(value).toBeGreaterThanOrEqual(0)
      expect(value).toBeLessThan(1)
    }
  })

  test('counts who keeps the process alive', () => {
    const env = new TestEnv()
    const [first, second] = [env.hold(), env.hold()]
    expect(env.holds).toBe(2)
    first()
    first()
    expect(env.holds).toBe(1)
    second()
    expect(env.holds).toBe(0)
  })

  test('spreads its numbers over the whole of [0, 1)', () => {
    const env = new TestEnv()
    const buckets = new Array<number>(10).fill(0)
    for (let i = 0; i < 10_000; i++) {
      const bucket = Math.floor(env.random() * 10)
      buckets[bucket] = (buckets[bucket] ?? 0) + 1
    }
    for (const count of buckets) expect(Math.abs(count - 1000)).toBeLessThan(150)
  })

  test('stands still until it is advanced', () => {
    const env = new TestEnv({ now: 1000 })
    expect([env.now(), env.monotonic()]).toEqual([1000, 0])
    env.advance(1.5)
    expect([env.now(), env.monotonic()]).toEqual([2500, 1.5])
    expect(() => env.advance(-1)).toThrow(InvalidArgumentError)
    expect(() => env.advance(Number.NaN)).toThrow(InvalidArgumentError)
  })

  test('moves its wall clock alone, as bad clocks do', () => {
    const env = new TestEnv({ now: 1000 })
    env.setWallClock(-5)
    expect([env.now(), env.monotonic()]).toEqual([-5, 0])
  })

  test('wakes what is due, earliest first, and nothing else', async () => {
    const env = new TestEnv()
    const woken: string[] = []
    const sleeps = [
      env.sleep(30).then(() => woken.push('30')),
      env.sleep(10).then(() => woken.push('10, first')),
      env.sleep(10).then(() => woken.push('10, second')),
    ]
    const later = env.sleep(31)
    expect(env.sleeping).toBe(4)
    env.advance(9)
    await env.yield()
    expect(woken).toEqual([])
    env.advance(21)
    await Promise.all(sleeps)
    expect(woken).toEqual(['10, first', '10, second', '30'])
    expect(env.sleeping).toBe(1)
    env.advance(1)
    await later
  })

  test('does not sleep at all for no time', async () => {
    const env = new TestEnv()
    await env.sleep(0)
    await env.sleep(-1)
    expect(env.sleeping).toBe(0)
  })

  test('wakes with the reason of an abort, and keeps no listener', async () => {
    const env = new TestEnv()
    const controller = new AbortController()
    const reason = new Error('enough')
    const sleep = env.sleep(10, controller.signal)
    controller.abort(reason)
    await expect(sleep).rejects.toBe(reason)
    await expect(env.sleep(10, controller.signal)).rejects.toBe(reason)
    expect(env.sleeping).toBe(0)

    const { signal } = new AbortController()
    const undisturbed = env.sleep(10, signal)
    env.advance(10)
    await undisturbed
    expect(getEventListeners(signal, 'abort').length).toBe(0)
  })
})
