import { TestEnv } from '@firn/env/testing'
import { describe, expect, test } from 'vitest'
import { objectStoreConformance } from '../src/conformance.js'
import { MemoryObjectStore, ObjectStoreError, RetryingObjectStore } from '../src/index.js'
import { type Fault, FaultyObjectStore, plannedFaults, seededFaults } from '../src/testing.js'

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const BROKEN: Fault[] = [{ kind: 'error-before' }, { kind: 'lost-reply' }, { kind: 'throttle' }]

/** Sleeps end at once and are noted. */
class HastyEnv extends TestEnv {
  readonly sleeps: number[] = []
  override sleep(ms: number, signal?: AbortSignal): Promise<void> {
    this.sleeps.push(ms)
    return signal?.aborted === true ? Promise.reject(signal.reason) : Promise.resolve()
  }
}

objectStoreConformance(
  'RetryingObjectStore over one that fails often',
  () => {
    const env = new HastyEnv({ seed: 3 })
    const objects = new MemoryObjectStore()
    const wrap = (store: MemoryObjectStore) => {
      const rates = { 'error-before': 0.1, 'lost-reply': 0.1, throttle: 0.05 }
      // Uploads aren't retried, except their start.
      const faults = seededFaults(env, rates)
      const faulty = new FaultyObjectStore(
        store,
        (call) => (call.operation.startsWith('upload') ? undefined : faults(call)),
        env,
      )
      return new RetryingObjectStore(faulty, { env, attempts: 30, retryBudget: 1e6 })
    }
    return { store: wrap(objects), another: () => wrap(objects.share()) }
  },
  { ifMatch: false },
)

describe('RetryingObjectStore', () => {
  function over(...faults: Parameters<typeof plannedFaults>) {
    const env = new HastyEnv()
    const memory = new MemoryObjectStore()
    const faulty = new FaultyObjectStore(memory, plannedFaults(...faults), env)
    return { env, memory, faulty, store: new RetryingObjectStore(faulty, { env }) }
  }

  test('12: tries again after each kind of broken request, with growing, bounded, jittered pauses', async () => {
    const { store, env } = over(...BROKEN, ...BROKEN.slice(0, 2))
    await store.put('a', bytes('x'))
    expect(env.sleeps.length).toBe(5)
    for (const [i, ms] of env.sleeps.entries()) expect(ms).toBeLessThanOrEqual(50 * 2 ** i)
    expect(new Set(env.sleeps).size).toBe(5)
  })

  test('gives up after so many attempts, with the last error', async () => {
    const { store, faulty } = over({ kind: 'throttle', times: 100 })
    await expect(store.get('a')).rejects.toMatchObject({ reason: 'throttled' })
    expect(faulty.counts.calls).toBe(6)
  })

  test('does not repeat what will not get better', async () => {
    const { store, faulty } = over()
    await expect(store.get('missing')).rejects.toMatchObject({ code: 'FIRN_OBJECT_NOT_FOUND' })
    await expect(store.get('../x')).rejects.toMatchObject({ code: 'FIRN_INVALID_ARGUMENT' })
    expect(faulty.counts.calls).toBe(2)
  })

  test('12: stops retrying when the store is down and the budget is spent, and recovers', async () => {
    const env = new HastyEnv()
    const faulty = new FaultyObjectStore(new MemoryObjectStore(), () => ({ kind: 'throttle' }), env)
    const store = new RetryingObjectStore(faulty, { env, retryBudget: 10 })
    for (let i = 0; i < 20; i++) await store.head('a').catch(() => {})
    expect(faulty.counts.calls).toBe(30)
    faulty.setSchedule()
    for (let i = 0; i < 5; i++) await store.head('a')
    faulty.setSchedule(plannedFaults({ kind: 'throttle' }))
    await store.head('a')
    expect(faulty.counts.calls).toBe(37)
  })

  test('1: knows its own conditional create again when the reply was lost', async () => {
    const { store, memory } = over({ kind: 'lost-reply', operation: 'put' })
    const { etag } = await store.put('a', bytes('mine'), { ifAbsent: true })
    expect(await memory.head('a')).toMatchObject({ etag })
  })

  test('says that another was first when one was', async () => {
    const { store, memory } = over({ kind: 'error-before', operation: 'put' })
    await memory.put('a', bytes('theirs'))
    const put = store.put('a', bytes('mine'), { ifAbsent: true })
    await expect(put).rejects.toMatchObject({ code: 'FIRN_PRECONDITION_FAILED' })
  })

  test('knows its own replacement again when the reply was lost', async () => {
    const { store, memory } = over({ kind: 'lost-reply', operation: 'put' })
    const first = await memory.put('a', bytes('first'))
    const { etag } = await store.put('a', bytes('mine'), { ifMatch: first.etag })
    expect(await memory.head('a')).toMatchObject({ etag })
  })

  test('calls a replacement unknown when another content is there after a lost reply', async () => {
    const { env, memory } = over()
    const first = await memory.put('a', bytes('first'))
    let puts = 0
    const faulty = new FaultyObjectStore(memory, (call) => {
      if (call.operation !== 'put' || puts++ > 0) return undefined
      return { kind: 'lost-reply' }
    })
    const overwritten = new RetryingObjectStore(faulty, {
      env: Object.assign(env, {
        sleep: async () => void (await memory.put('a', bytes('theirs, over mine'))),
      }),
    })
    const error = await overwritten
      .put('a', bytes('mine'), { ifMatch: first.etag })
      .catch((caught: unknown) => caught)
    expect(error).toMatchObject({ code: 'FIRN_OBJECT_STORE', retryable: false })
    expect((error as Error).cause).toBeInstanceOf(ObjectStoreError)
  })

  test('does not doubt a refusal that came at the first attempt', async () => {
    const { store, memory, faulty } = over()
    await memory.put('a', bytes('same'))
    const put = store.put('a', bytes('same'), { ifAbsent: true })
    await expect(put).rejects.toMatchObject({ code: 'FIRN_PRECONDITION_FAILED' })
    expect(faulty.counts.calls).toBe(1)
  })

  test('goes on with a list where it broke, without loss or repetition', async () => {
    const { store, memory } = over(
      { kind: 'lost-reply', operation: 'list', times: 3 },
      { kind: 'throttle', operation: 'list' },
    )
    for (let i = 0; i < 9; i++) await memory.put(`k${i}`, bytes('x'))
    const keys: string[] = []
    for await (const { key } of store.list({ limit: 7 })) keys.push(key)
    expect(keys).toEqual(['k0', 'k1', 'k2', 'k3', 'k4', 'k5', 'k6'])
  })

  test('ends an attempt that hangs, and tries again', async () => {
    const env = new TestEnv()
    const memory = new MemoryObjectStore()
    await memory.put('a', bytes('x'))
    const faulty = new FaultyObjectStore(memory, plannedFaults({ kind: 'hang' }), env)
    const store = new RetryingObjectStore(faulty, { env, attemptTimeoutMs: 1000, baseDelayMs: 0 })
    const reading = store.get('a')
    env.advance(1000)
    for (let i = 0; i < 50 && env.sleeping === 0; i++) await Promise.resolve()
    env.advance(1)
    expect((await reading).size).toBe(1)
    expect(faulty.counts.hang).toBe(1)
    for (let i = 0; i < 50; i++) await Promise.resolve()
    expect(env.sleeping).toBe(0)
  })

  test('stops when aborted during a pause', async () => {
    const env = new TestEnv()
    const faulty = new FaultyObjectStore(new MemoryObjectStore(), () => ({ kind: 'throttle' }), env)
    const store = new RetryingObjectStore(faulty, { env })
    const abort = new AbortController()
    const reading = store.get('a', { signal: abort.signal })
    for (let i = 0; i < 50 && env.sleeping === 0; i++) await Promise.resolve()
    const reason = new Error('enough')
    abort.abort(reason)
    await expect(reading).rejects.toBe(reason)
    expect(env.sleeping).toBe(0)
  })
})
