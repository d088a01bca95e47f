import { CorruptionError } from '@firn/env'
import { MemoryObjectStore, type ObjectStore } from '@firn/object-store'
import { describe, expect, test } from 'vitest'
import { ObjectCommitLog, SpillingCommitLog, spillPrefix } from '../src/index.js'
import { collect, INCARNATION, newEntry } from './fixtures.js'

function open(store: ObjectStore): SpillingCommitLog {
  const log = new ObjectCommitLog(store, INCARNATION)
  return new SpillingCommitLog(log, store, INCARNATION, { itemLimitBytes: 100 })
}

async function spilled(store: ObjectStore): Promise<string[]> {
  const keys: string[] = []
  for await (const { key } of store.list({ prefix: spillPrefix(INCARNATION) })) keys.push(key)
  return keys
}

describe('11: a payload over the limit of an entry', () => {
  const long = () => new Uint8Array(5000).fill(7)

  test('goes into an object, which leaves with the entry', async () => {
    const store = new MemoryObjectStore()
    const log = open(store)
    await log.append(newEntry(1, new Uint8Array(100)))
    expect(await spilled(store)).toHaveLength(0)
    for (const version of [2, 3, 4]) await log.append(newEntry(version, long()))
    expect(await spilled(store)).toHaveLength(3)
    expect((await collect(log.readAfter(1)))[2]?.payload).toEqual(long())
    await log.truncate(3)
    expect(await spilled(store)).toHaveLength(1)
    expect((await collect(log.readAfter(0))).map(({ payload }) => payload?.length)).toEqual([
      undefined,
      undefined,
      undefined,
      5000,
    ])
  })

  test('of a commit that lost leaves nothing behind', async () => {
    const store = new MemoryObjectStore()
    const log = open(store)
    await log.append(newEntry(1, long()))
    const lost = await log.append(newEntry(1, long().fill(8), 1))
    expect(lost).toMatchObject({ appended: false, winner: { payload: long() } })
    expect(await spilled(store)).toHaveLength(1)
    expect((await collect(log.readAfter(0)))[0]?.payload).toEqual(long())
  })

  test('of a commit that lost isn’t waited for once its caller gives up', async () => {
    const store = new MemoryObjectStore()
    await open(store).append(newEntry(1, new Uint8Array(1)))
    const caller = new AbortController()
    const reason = new Error('enough')
    const silent = new Proxy(store, {
      get(_, name) {
        if (name !== 'delete') return Reflect.get(store, name).bind(store)
        return (_key: string, { signal }: { signal?: AbortSignal } = {}) =>
          new Promise((_, reject) => {
            signal?.addEventListener('abort', () => reject(signal.reason), { once: true })
            setImmediate(() => caller.abort(reason))
          })
      },
    })
    const lost = open(silent).append(newEntry(1, long(), 1), { signal: caller.signal })
    expect(await lost).toMatchObject({ appended: false })
  })

  test('damaged, cut, replaced or missing is corruption', async () => {
    const store = new MemoryObjectStore()
    const log = open(store)
    await log.append(newEntry(1, long()))
    const [key] = (await spilled(store)) as [string]
    for (const bytes of [long().with(3, 8), long().subarray(1), new Uint8Array(0)]) {
      await store.put(key, bytes)
      await expect(collect(log.readAfter(0))).rejects.toThrow(CorruptionError)
    }
    await store.delete(key)
    await expect(collect(log.readAfter(0))).rejects.toThrow(/missing/)
  })
})
