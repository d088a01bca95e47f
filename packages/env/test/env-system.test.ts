import { getEventListeners } from 'node:events'
import { outputOf } from '@firn/test-support'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { type Env, systemEnv } from '../src/index.js'

const never = () => new AbortController().signal

/** A `systemEnv` that was loaded when timers were fake already, and so is bound to those. */
async function faked(): Promise<Env> {
  vi.useFakeTimers()
  vi.resetModules()
  return (await import('../src/env-system.js')).systemEnv
}

const run = (program: string): Promise<string> => outputOf(program, { from: import.meta.dirname })

afterEach(() => {
  vi.useRealTimers()
})

describe('systemEnv', () => {
  test('tells the time in whole microseconds', () => {
    const before = Date.now() * 1000
    const now = systemEnv.now()
    expect(Number.isSafeInteger(now)).toBe(true)
    expect(now).toBeGreaterThanOrEqual(before)
    expect(now).toBeLessThanOrEqual(Date.now() * 1000)
  })

  test('has a clock that never runs backwards', () => {
    let last = systemEnv.monotonic()
    for (let i = 0; i < 1000; i++) {
      const next = systemEnv.monotonic()
      expect(next).toBeGreaterThanOrEqual(last)
      last = next
    }
  })

  test('gives random bytes of any length, each array its own', () => {
    for (const length of [0, 1, 10, 1024, 1025, 65_536, 65_537, 200_000]) {
      const bytes = systemEnv.randomBytes(length)
      expect(bytes.length).toBe(length)
      expect(bytes.buffer.byteLength).toBe(length)
      // 64 zeros in a row come up once in 2^512 draws.
      if (length > 1000) expect(bytes.subarray(-64).some((byte) => byte !== 0)).toBe(true)
    }
    expect(() => systemEnv.randomBytes(-1)).toThrow(RangeError)
  })

  test('never gives the same random bytes twice', () => {
    const seen = new Set<string>()
    for (let i = 0; i < 2000; i++) seen.add(systemEnv.randomBytes(16).join())
    expect(seen.size).toBe(2000)
  })

  test('sleeps until the timer fires, not before', async () => {
    const env = await faked()
    let awake = false
    const sleep = env.sleep(50).then(() => {
      awake = true
    })
    await vi.advanceTimersByTimeAsync(49)
    expect(awake).toBe(false)
    await vi.advanceTimersByTimeAsync(1)
    await sleep
    expect(awake).toBe(true)
  })

  test('sleeps longer than a timer can', async () => {
    const env = await faked()
    let awake = false
    const month = 30 * 24 * 3600 * 1000
    const sleep = env.sleep(month).then(() => {
      awake = true
    })
    await vi.advanceTimersByTimeAsync(month - 1)
    expect(awake).toBe(false)
    await vi.advanceTimersByTimeAsync(1)
    await sleep
    expect(vi.getTimerCount()).toBe(0)
  })

  test('wakes with the reason of an abort, and leaves no timer and no listener', async () => {
    const env = await faked()
    const controller = new AbortController()
    const sleep = env.sleep(1000, controller.signal)
    const reason = new Error('enough')
    controller.abort(reason)
    await expect(sleep).rejects.toBe(reason)
    expect(vi.getTimerCount()).toBe(0)
    await expect(env.sleep(1000, controller.signal)).rejects.toBe(reason)
    expect(vi.getTimerCount()).toBe(0)

    const signal = never()
    const undisturbed = env.sleep(10, signal)
    expect(getEventListeners(signal, 'abort').length).toBe(1)
    await vi.advanceTimersByTimeAsync(10)
    await undisturbed
    expect(getEventListeners(signal, 'abort').length).toBe(0)
  })

  test('keeps the process alive for a sleep that someone awaits, not for one in the background', async () => {
    const importing = "import { systemEnv } from '@firn/env'\n"
    expect(await run(`${importing}await systemEnv.sleep(1); console.log('awake')`)).toBe('awake\n')
    const background = 'systemEnv.sleep(60_000, undefined, { background: true })'
    expect(await run(`${importing}${background}.then(() => console.log('awake'))`)).toBe('')
  })

  test('keeps the process alive while anybody holds it, and no longer', async () => {
    const importing = "import { holding, systemEnv } from '@firn/env'\n"
    const background = 'systemEnv.sleep(50, undefined, { background: true })'
    expect(
      await run(`${importing}await holding(systemEnv, ${background}); console.log('awake')`),
    ).toBe('awake\n')
    const twice = 'const a = systemEnv.hold(), b = systemEnv.hold(); a(); a()'
    const released = "process.on('exit', () => console.log('ended')); b()"
    expect(
      await run(
        `${importing}${twice}; ${background}.then(() => { console.log('held'); ${released} })`,
      ),
    ).toBe('held\nended\n')
    expect(
      await run(`${importing}await holding(systemEnv, Promise.reject(0)).catch(() => {})`),
    ).toBe('')
  })

  test('goes on when a test replaces timers and clocks', async () => {
    vi.useFakeTimers({
      toFake: [
        'setTimeout',
        'setInterval',
        'setImmediate',
        'Date',
        'performance',
        'queueMicrotask',
      ],
      now: 0,
    })
    const since = systemEnv.monotonic()
    await systemEnv.yield()
    await systemEnv.sleep(2)
    expect(systemEnv.monotonic()).toBeGreaterThan(since)
    expect(systemEnv.now()).toBeGreaterThan(1_700_000_000_000_000)
    expect(vi.getTimerCount()).toBe(0)
  })

  test('yields to I/O and timers that are due', async () => {
    let ran = false
    setImmediate(() => {
      ran = true
    })
    await systemEnv.yield()
    expect(ran).toBe(true)
  })
})
