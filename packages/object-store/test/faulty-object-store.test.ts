import { TestEnv } from '@firn/env/testing'
import { beforeEach, describe, expect, test } from 'vitest'
import { objectStoreConformance } from '../src/conformance.js'
import { MemoryObjectStore } from '../src/index.js'
import {
  FAULT_KINDS,
  type FaultKind,
  FaultyObjectStore,
  plannedFaults,
  seededFaults,
} from '../src/testing.js'

objectStoreConformance('FaultyObjectStore without faults', () => {
  const memory = new MemoryObjectStore()
  return {
    store: new FaultyObjectStore(memory),
    another: () => new FaultyObjectStore(memory.share()),
  }
})

describe('FaultyObjectStore', () => {
  const content = Uint8Array.from({ length: 64 }, (_, i) => i)
  const other = new Uint8Array(64).fill(255)
  let memory: MemoryObjectStore
  let env: TestEnv
  beforeEach(async () => {
    memory = new MemoryObjectStore()
    env = new TestEnv()
    await memory.put('a', content)
    await memory.put('b', other)
  })
  const faulty = (kind: FaultKind, times = 1) =>
    new FaultyObjectStore(memory, plannedFaults({ kind, times }), env)
  const differences = (a: Uint8Array, b: Uint8Array) =>
    a.reduce(
      (bits, byte, i) => bits + (byte ^ (b[i] ?? 0)).toString(2).replaceAll('0', '').length,
      0,
    )

  test('fails before, or after it was done', async () => {
    for (const kind of ['error-before', 'throttle'] as const) {
      const store = faulty(kind)
      await expect(store.delete('a')).rejects.toMatchObject({ retryable: true })
      expect(await memory.head('a')).toBeDefined()
      expect(store.counts).toMatchObject({ [kind]: 1, calls: 1 })
    }
    await expect(faulty('lost-reply').delete('a')).rejects.toMatchObject({ retryable: true })
    expect(await memory.head('a')).toBeUndefined()
  })

  test('applies a write late, with the bytes it was given', async () => {
    const store = faulty('late-apply')
    const bytes = new Uint8Array([1, 2, 3])
    await expect(store.put('late', bytes)).rejects.toMatchObject({ retryable: true })
    bytes.fill(9)
    expect(await memory.head('late')).toBeUndefined()
    env.advance(99)
    expect(store.counts.landed).toBe(0)
    env.advance(1)
    await store.landed()
    expect((await memory.get('late')).bytes).toEqual(new Uint8Array([1, 2, 3]))
    expect(store.counts).toMatchObject({ 'late-apply': 1, landed: 1 })
  })

  test('lets a late write be refused by its condition', async () => {
    const store = faulty('late-apply')
    await store.put('late', content, { ifAbsent: true }).catch(() => {})
    await store.put('late', other, { ifAbsent: true })
    env.advance(100)
    await store.landed()
    expect((await memory.get('late')).bytes).toEqual(other)
  })

  test('hangs until aborted', async () => {
    const abort = new AbortController()
    const reading = faulty('hang').get('a', { signal: abort.signal })
    const reason = new Error('enough')
    abort.abort(reason)
    await expect(reading).rejects.toBe(reason)
  })

  test('damages replies as it says', async () => {
    const range = { start: 8, end: 40 }
    const short = await faulty('short-reply').get('a', { range })
    expect(short.bytes.length).toBeLessThan(32)
    expect(short.size).toBe(64)
    const long = await faulty('long-reply').get('a', { range })
    expect(long.bytes.length).toBeGreaterThan(32)
    expect(long.bytes.subarray(0, 32)).toEqual(content.subarray(8, 40))
    const flipped = await faulty('bit-flip').get('a', { range })
    expect(differences(flipped.bytes, content.subarray(8, 40))).toBe(1)
    const cut = await faulty('truncate').get('a')
    expect(cut.size).toBeLessThan(64)
    expect(cut.bytes).toEqual(content.subarray(0, cut.size))
    expect((await memory.get('a')).bytes).toEqual(content)
  })

  test('answers with bytes of another object', async () => {
    const store = new FaultyObjectStore(
      memory,
      plannedFaults({ kind: 'other-object', operation: 'get', after: 1 }),
      env,
    )
    await store.get('b')
    const swapped = await store.get('a', { range: { start: 0, end: 10 } })
    expect(swapped).toMatchObject({ key: 'a', size: 64 })
    expect(swapped.bytes).toEqual(other.subarray(0, 10))
  })

  test('damages what is stored, and says nothing', async () => {
    await faulty('bit-flip').put('c', content)
    expect(differences((await memory.get('c')).bytes, content)).toBe(1)
    await faulty('truncate').put('d', content)
    expect((await memory.head('d'))?.size).toBeLessThan(64)
    expect(content[63]).toBe(63)
  })

  test('breaks a list in the middle', async () => {
    const keys: string[] = []
    const list = async () => {
      for await (const { key } of faulty('lost-reply').list()) keys.push(key)
    }
    await expect(list()).rejects.toMatchObject({ retryable: true })
    expect(keys).toEqual(['a'])
  })

  test('counts only faults that happened', async () => {
    const store = faulty('short-reply')
    await store.head('a')
    expect(store.counts).toMatchObject({ calls: 1, 'short-reply': 0 })
  })

  test('makes the same faults from the same seed, at about the rates asked for', async () => {
    const run = async (seed: number) => {
      const seeded = new TestEnv({ seed })
      const rates = Object.fromEntries(
        FAULT_KINDS.filter((kind) => kind !== 'hang').map((kind) => [kind, 0.05]),
      )
      const store = new FaultyObjectStore(memory, seededFaults(seeded, rates), seeded)
      for (let i = 0; i < 1000; i++) await store.get('a').catch(() => {})
      return store.counts
    }
    const counts = await run(7)
    expect(await run(7)).toEqual(counts)
    expect(await run(8)).not.toEqual(counts)
    for (const kind of ['error-before', 'throttle', 'bit-flip'] as const) {
      expect(counts[kind]).toBeGreaterThan(20)
      expect(counts[kind]).toBeLessThan(100)
    }
    expect(() => seededFaults(env, { throttle: 0.6, hang: 0.6 })).toThrow(/probabilities/)
  })
})
