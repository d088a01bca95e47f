import { TestEnv } from '@firn/env/testing'
import { beforeEach, describe, expect, test } from 'vitest'
import { Hedge } from '../src/index.js'
import { settle } from './fixtures.js'

/** A request that is under way, to be answered by the test. */
interface Sent {
  signal: AbortSignal
  answer(value: unknown): void
  fail(error: unknown): void
}

describe('a request that is late', () => {
  let env: TestEnv
  let hedge: Hedge
  let sent: Sent[]

  const request = (signal: AbortSignal): Promise<unknown> =>
    new Promise((answer, fail) => {
      sent.push({ signal, answer, fail })
    })

  /** Has the hedge learn how long requests take. */
  async function learn(latenciesMs: readonly number[]): Promise<void> {
    for (const ms of latenciesMs) {
      const call = hedge.run({ request })
      env.advance(ms)
      sent.pop()?.answer('x')
      await call
    }
    sent = []
  }

  async function pass(ms: number): Promise<void> {
    env.advance(ms)
    await settle()
  }

  beforeEach(() => {
    env = new TestEnv()
    hedge = new Hedge(env)
    sent = []
  })

  test('is made once more when it takes longer than nearly all before, and the first answer counts', async () => {
    await learn(Array.from({ length: 32 }, (_, i) => 30 + i))
    const call = hedge.run({ request })
    await pass(55)
    expect(sent).toHaveLength(1)
    await pass(10)
    expect(sent).toHaveLength(2)
    sent[1]?.answer('second')
    expect(await call).toBe('second')
    expect(sent.map(({ signal }) => signal.aborted)).toEqual([true, true])
    expect(env.sleeping).toBe(0)
  })

  test('is not made again while it is in time: a quiet service gets no request more', async () => {
    let requests = 0
    for (let i = 0; i < 1000; i++) {
      const call = hedge.run({ request: async () => ++requests })
      await pass(15)
      await call
    }
    expect(requests).toBe(1000)
    expect(env.sleeping).toBe(0)
  })

  test('is told by the median where more than one of twenty is late', async () => {
    await learn(Array.from({ length: 64 }, (_, i) => (i % 8 === 0 ? 4000 : 20)))
    const call = hedge.run({ request })
    await pass(80)
    expect(sent).toHaveLength(2)
    sent[0]?.answer('first')
    expect(await call).toBe('first')
  })

  test('is late after half a second while little is known of the service', async () => {
    const call = hedge.run({ request })
    await pass(499)
    expect(sent).toHaveLength(1)
    await pass(1)
    expect(sent).toHaveLength(2)
    sent[1]?.answer('second')
    expect(await call).toBe('second')
  })

  test('is made three times at most', async () => {
    const call = hedge.run({ request })
    for (let i = 0; i < 100; i++) await pass(1000)
    expect(sent).toHaveLength(3)
    sent[2]?.answer('third')
    expect(await call).toBe('third')
  })

  test('doesn’t double the load of a service that has too much to do: a tenth more at most', async () => {
    await learn(Array.from({ length: 200 }, () => 20))
    let requests = 0
    for (let i = 0; i < 1000; i++) {
      const call = hedge.run({
        request: async () => {
          requests++
          await env.sleep(500)
        },
      })
      for (let ms = 0; ms < 500; ms += 20) await pass(20)
      await call
    }
    expect(requests).toBeGreaterThan(1000)
    expect(requests).toBeLessThanOrEqual(1135)
  })

  test('is made again after half a second though the budget is used up, for four calls at a time', async () => {
    await learn(Array.from({ length: 200 }, () => 20))
    const calls = Array.from({ length: 60 }, () => hedge.run({ request }))
    await pass(20)
    await pass(20)
    // The budget that 60 calls add, and all that was saved.
    const budgeted = sent.length - 60
    expect(budgeted).toBeLessThanOrEqual(38)
    for (let i = 0; i < 100; i++) await pass(100)
    const all = sent.length
    // Each of the four gets one or two, as it had one before or not.
    expect(all).toBeGreaterThanOrEqual(60 + budgeted + 4)
    expect(all).toBeLessThanOrEqual(60 + budgeted + 8)
    for (const each of sent.splice(0)) each.answer('x')
    await Promise.all(calls)
    expect(env.sleeping).toBe(0)
    // Those four are over.
    const call = hedge.run({ request })
    for (let i = 0; i < 20; i++) await pass(100)
    expect(sent.length).toBeGreaterThan(1)
    sent[1]?.answer('second')
    expect(await call).toBe('second')
  })

  test('is not given up for the failure of the other one', async () => {
    const first = hedge.run({ request })
    await pass(1000)
    sent[0]?.fail(new Error('first'))
    await settle()
    sent[1]?.answer('second')
    expect(await first).toBe('second')

    sent = []
    const second = hedge.run({ request })
    await pass(1000)
    sent[1]?.fail(new Error('second'))
    await settle()
    sent[0]?.answer('first')
    expect(await second).toBe('first')
  })

  test('fails as the first one did when all have', async () => {
    const call = hedge.run({ request })
    await pass(1000)
    sent[1]?.fail(new Error('second'))
    sent[0]?.fail(new Error('first'))
    await expect(call).rejects.toThrow('first')
    expect(env.sleeping).toBe(0)
  })

  test('fails at once when it fails before it is late', async () => {
    const call = hedge.run({ request })
    sent[0]?.fail(new Error('first'))
    await expect(call).rejects.toThrow('first')
    expect(sent).toHaveLength(1)
  })

  test('ends with the reason of a caller who gives up, and the requests too', async () => {
    const caller = new AbortController()
    const call = hedge.run({ request, signal: caller.signal })
    await pass(1000)
    const reason = new Error('changed my mind')
    caller.abort(reason)
    await expect(call).rejects.toBe(reason)
    expect(sent.map(({ signal }) => signal.reason)).toEqual([reason, reason])
    expect(env.sleeping).toBe(0)
    await expect(hedge.run({ request, signal: caller.signal })).rejects.toBe(reason)
    expect(sent).toHaveLength(2)
  })

  test('goes on after a further request that found nothing, and fails when it has failed', async () => {
    const further = (): Promise<undefined> => Promise.resolve(undefined)
    const call = hedge.run({ request, further })
    await pass(1000)
    await pass(2000)
    sent[0]?.answer('first')
    expect(await call).toBe('first')

    const failing = hedge.run({ request, further })
    await pass(1000)
    sent[1]?.fail(new Error('first'))
    await expect(failing).rejects.toThrow('first')
  })
})
