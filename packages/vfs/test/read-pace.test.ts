import { TestEnv } from '@firn/env/testing'
import { describe, expect, test } from 'vitest'
import { ReadPace } from '../src/read-pace.js'

/**
 * Makes calls in place that take so long each, until one is sent to a thread; how many there were.
 */
function callsInPlace(pace: ReadPace, env: TestEnv, ms: number, most = 200): number {
  for (let calls = 0; calls < most; calls++) {
    if (!pace.inPlace()) return calls
    const since = pace.now()
    env.advance(ms)
    pace.took(since)
  }
  return most
}

describe('ReadPace', () => {
  test('forgives the first calls of a process, which are slow whatever they wait for', () => {
    const env = new TestEnv()
    const pace = new ReadPace(env, false)
    expect(callsInPlace(pace, env, 0.12, 30)).toBe(30)
    expect(callsInPlace(pace, env, 0.001)).toBe(200)
  })

  test('forgives no slow disk: threads take over after four milliseconds in all', () => {
    const env = new TestEnv()
    expect(callsInPlace(new ReadPace(env, false), env, 10)).toBe(1)
    expect(callsInPlace(new ReadPace(env, false), env, 1)).toBe(5)
  })

  test('sends calls to threads once they take longer in place, and tries again later', () => {
    const env = new TestEnv()
    const pace = new ReadPace(env, false)
    expect(callsInPlace(pace, env, 0.001, 100)).toBe(100)
    expect(callsInPlace(pace, env, 0.2)).toBeLessThan(10)
    let sent = 1
    while (!pace.inPlace()) sent++
    expect(sent).toBe(64)
  })

  test('makes no call in place where only threads are wanted', () => {
    expect(new ReadPace(new TestEnv(), true).inPlace()).toBe(false)
  })
})
