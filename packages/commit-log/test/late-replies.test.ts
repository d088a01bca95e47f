import { TestEnv } from '@firn/env/testing'
import { MemoryObjectStore, MeteredObjectStore, type ObjectStore } from '@firn/object-store'
import { describe, expect, test } from 'vitest'
import { appendSettled, logEntryKey, ObjectCommitLog, SpillingCommitLog } from '../src/index.js'
import { collect, INCARNATION, newEntry, settle } from './fixtures.js'

/** When a request arrives and is done: at once, never, or when it is let through. */
type Late = 'reply' | 'request'

/** A store of which single requests are late. */
function lateStore(): {
  store: ObjectStore
  memory: MemoryObjectStore
  late(operation: 'get' | 'put' | 'list', kind: Late): void
  arrive(): Promise<void>
} {
  const memory = new MemoryObjectStore()
  const planned: { operation: string; kind: Late }[] = []
  const onTheWay: (() => Promise<unknown>)[] = []
  const never = (signal: AbortSignal | undefined): Promise<never> =>
    new Promise((_, reject) => {
      signal?.addEventListener('abort', () => reject(signal.reason))
    })
  const pass = async <T>(
    operation: string,
    signal: AbortSignal | undefined,
    request: () => Promise<T>,
  ): Promise<T> => {
    const index = planned.findIndex((one) => one.operation === operation)
    if (index < 0) return request()
    const [plan] = planned.splice(index, 1)
    if (plan?.kind === 'reply') await request().catch(() => {})
    else onTheWay.push(request)
    return never(signal)
  }
  const store: ObjectStore = {
    get: (key, options) => pass('get', options?.signal, () => memory.get(key, options)),
    head: (key, options) => memory.head(key, options),
    put: (key, bytes, options) =>
      pass('put', options?.signal, () => memory.put(key, bytes, { ...options, signal: undefined })),
    delete: (keys, options) => memory.delete(keys, options),
    async *list(options) {
      await pass('list', options?.signal, async () => {})
      yield* memory.list(options)
    },
    upload: (key, options) => memory.upload(key, options),
    close: () => memory.close(),
  }
  return {
    store,
    memory,
    late: (operation, kind) => void planned.push({ operation, kind }),
    arrive: async () => {
      for (const request of onTheWay.splice(0)) await request().catch(() => {})
    },
  }
}

/** Lets time pass until the work is done, a hundred milliseconds at once; how long it took. */
async function timed<T>(env: TestEnv, work: Promise<T>): Promise<{ value: T; ms: number }> {
  let isDone = false
  const done = () => {
    isDone = true
  }
  work.then(done, done)
  const startedMs = env.monotonic()
  await settle()
  while (!isDone) {
    env.advance(100)
    await settle()
  }
  return { value: await work, ms: env.monotonic() - startedMs }
}

async function filled(count: number) {
  const env = new TestEnv()
  const { store, ...rest } = lateStore()
  const metered = new MeteredObjectStore(store)
  const log = new ObjectCommitLog(metered, INCARNATION, { env })
  for (let version = 1; version <= count; version++) await log.append(newEntry(version))
  return { env, log, metered, ...rest }
}

describe('a store with late replies', () => {
  test('a reader doesn’t wait for a read of the log that is late', async () => {
    const { env, log, late } = await filled(3)
    late('get', 'reply')
    const { value, ms } = await timed(env, collect(log.readAfter(1, { limit: 4 })))
    expect(value.map(({ version }) => version)).toEqual([2, 3])
    expect(ms).toBe(500)
  })

  test('who has much to read doesn’t wait for the slowest of each sixteen', async () => {
    const { env, log, late } = await filled(60)
    for (let i = 0; i < 5; i++) late('get', 'reply')
    late('list', 'reply')
    const { value, ms } = await timed(env, collect(log.readAfter(0)))
    expect(value.map(({ version }) => version)).toEqual(Array.from({ length: 60 }, (_, i) => i + 1))
    // The list, and all the late reads at the same time.
    expect(ms).toBe(1000)
  })

  test('a commit whose reply is late is known to be in as soon as its entry is read', async () => {
    const { env, log, late, metered } = await filled(3)
    metered.reset()
    late('put', 'reply')
    const { value, ms } = await timed(env, appendSettled(log, newEntry(4), { env }))
    expect(value).toEqual({ appended: true })
    expect(ms).toBe(500)
    const { kinds } = metered.snapshot()
    expect([kinds.put.requests, kinds.get.requests]).toEqual([1, 1])
  })

  test('a commit whose refusal is late knows who was first as soon as that entry is read', async () => {
    const { env, log, late } = await filled(3)
    late('put', 'reply')
    const { value, ms } = await timed(env, appendSettled(log, newEntry(3, 'late', 1), { env }))
    expect(value).toMatchObject({ appended: false, winner: { token: newEntry(3).token } })
    expect(ms).toBe(500)
  })

  test('a commit whose request is late is not taken for lost, and made once more', async () => {
    const { env, log, late, arrive } = await filled(3)
    late('put', 'request')
    const { value, ms } = await timed(env, appendSettled(log, newEntry(4), { env }))
    expect(value).toEqual({ appended: true })
    // Once it was looked for, in vain.
    expect(ms).toBe(1500)
    await arrive()
    const entries = await collect(log.readAfter(3))
    expect(entries.map(({ token }) => token)).toEqual([newEntry(4).token])
  })

  test('a commit whose request is late loses to one that comes meanwhile, for good', async () => {
    const { env, log, late, arrive, memory } = await filled(3)
    late('put', 'request')
    const commit = appendSettled(log, newEntry(4), { env })
    await settle()
    await new ObjectCommitLog(memory, INCARNATION).append(newEntry(4, 'other', 1))
    const { value } = await timed(env, commit)
    expect(value).toMatchObject({ winner: { token: newEntry(4, 'other', 1).token } })
    await arrive()
    const entries = await collect(log.readAfter(3))
    expect(entries.map(({ token }) => token)).toEqual([newEntry(4, 'other', 1).token])
  })

  test('a caller that gives up an append that was sent learns that the outcome is unknown', async () => {
    const { log, late } = await filled(3)
    const caller = new AbortController()
    late('put', 'request')
    const append = log.append(newEntry(4), { signal: caller.signal })
    await settle()
    caller.abort(new Error('changed my mind'))
    await expect(append).rejects.toMatchObject({ code: 'FIRN_AMBIGUOUS_APPEND' })
  })

  test('what is certain of one put isn’t told while another is under way', async () => {
    const { env, memory } = await filled(3)
    let puts = 0
    const full = Object.assign(new Error('full'), { code: 'FIRN_OBJECT_STORE' })
    const store = Object.assign(Object.create(memory) as MemoryObjectStore, {
      get: memory.get.bind(memory),
      put: async (_key: string, _bytes: Uint8Array, options?: { signal?: AbortSignal }) => {
        const isFirst = puts++ === 0
        await env.sleep(isFirst ? 5000 : 6000, options?.signal)
        throw full
      },
    })
    const log = new ObjectCommitLog(store, INCARNATION, { env })
    const append = log.append(newEntry(4)).catch((error: unknown) => error)
    const { value } = await timed(env, append)
    expect(puts).toBe(2)
    expect(value).toMatchObject({ code: 'FIRN_AMBIGUOUS_APPEND' })
  })

  test('a long payload is waited for no longer than a short one', async () => {
    const env = new TestEnv()
    const { store, late } = lateStore()
    const inner = new ObjectCommitLog(store, INCARNATION, { env })
    const log = new SpillingCommitLog(inner, store, INCARNATION, { itemLimitBytes: 100, env })
    const payload = new Uint8Array(5000).fill(7)
    late('put', 'request')
    const append = await timed(env, log.append(newEntry(1, payload)))
    expect(append).toEqual({ value: { appended: true }, ms: 500 })
    late('get', 'reply')
    late('get', 'reply')
    const read = await timed(env, collect(log.readAfter(0, { limit: 1 })))
    expect(read.value[0]?.payload).toEqual(payload)
    expect(read.ms).toBeLessThanOrEqual(1500)
  })

  test('no entry above a missing one is given', async () => {
    const { env, log, memory } = await filled(8)
    await memory.delete(logEntryKey(INCARNATION, 3))
    const read = timed(env, collect(log.readAfter(0)))
    await expect(read).rejects.toMatchObject({ code: 'FIRN_CORRUPTION' })
    const few = await collect(log.readAfter(1, { limit: 3 })).catch(() => [])
    expect(few.filter(({ version }) => version > 2)).toEqual([])
  })

  test('an entry that comes while those after it are read is the end of what is given', async () => {
    const { env, memory } = await filled(8)
    const third = logEntryKey(INCARNATION, 3)
    const { bytes } = await memory.get(third)
    let isThere = false
    const store = Object.assign(Object.create(memory) as MemoryObjectStore, {
      put: memory.put.bind(memory),
      get: async (key: string, options?: object) => {
        if (key !== third || isThere) return memory.get(key, options)
        isThere = true
        await memory.delete(third)
        const answer = memory.get(key, options)
        await answer.catch(() => {})
        await memory.put(third, bytes)
        return answer
      },
    })
    const log = new ObjectCommitLog(store, INCARNATION, { env })
    const first = await collect(log.readAfter(1, { limit: 3 }))
    expect(first.map(({ version }) => version)).toEqual([2])
    const next = await collect(log.readAfter(2, { limit: 3 }))
    expect(next.map(({ version }) => version)).toEqual([3, 4, 5])
  })

  test('a request costs no further one while replies are in time: one put a commit, one read an entry', async () => {
    const { log, metered } = await filled(100)
    expect(metered.reset().requests).toBe(100)
    await collect(log.readAfter(0))
    expect(metered.reset()).toMatchObject({
      requests: 101,
      kinds: { get: { requests: 100 }, list: { requests: 1 } },
    })
  })
})
