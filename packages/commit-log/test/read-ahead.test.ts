import { describe, expect, test } from 'vitest'
import { ReadAhead, type ReadAheadOptions } from '../src/internal/read-ahead.js'
import { settle } from './fixtures.js'

/** Reads of the numbers 1 to `count`, each answered by the test. */
function reading(count: number, options: Partial<ReadAheadOptions<number, number>> = {}) {
  const sent = new Map<number, { answer(): void; fail(error: Error): void; signal: AbortSignal }>()
  let given = false
  const reads = new ReadAhead<number, number>({
    items: async () => {
      if (given) return []
      given = true
      return Array.from({ length: count }, (_, i) => i + 1)
    },
    read: (item, signal) =>
      new Promise((resolve, reject) => {
        sent.set(item, { answer: () => resolve(item), fail: reject, signal })
      }),
    parallel: 4,
    ahead: 8,
    ...options,
  })
  return { sent, reads }
}

describe('reads ahead', () => {
  test('begin as soon as any read ends, though the first one is late', async () => {
    const { sent, reads } = reading(20)
    const first = reads.next()
    await settle()
    expect([...sent.keys()]).toEqual([1, 2, 3, 4])
    sent.get(3)?.answer()
    await settle()
    expect([...sent.keys()]).toEqual([1, 2, 3, 4, 5])
    for (const n of [2, 4, 5]) sent.get(n)?.answer()
    await settle()
    // No more are kept than there may be, however late the first one is.
    expect([...sent.keys()]).toEqual([1, 2, 3, 4, 5, 6, 7, 8])
    sent.get(1)?.answer()
    expect(await first).toEqual([1, 2, 3, 4, 5])
    await settle()
    expect([...sent.keys()].at(-1)).toBe(9)
  })

  test('are given in order, all of them', async () => {
    const { sent, reads } = reading(11)
    const all: number[] = []
    const done = (async () => {
      for (;;) {
        const some = await reads.next()
        if (some.length === 0) return
        all.push(...some)
      }
    })()
    for (let round = 0; round < 20; round++) {
      await settle()
      for (const n of [...sent.keys()].reverse()) sent.get(n)?.answer()
    }
    await done
    expect(all).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11])
  })

  test('give what comes before a failure, then the failure, and end the others', async () => {
    const { sent, reads } = reading(5)
    const first = reads.next()
    await settle()
    sent.get(2)?.fail(new Error('two'))
    sent.get(3)?.answer()
    await settle()
    sent.get(1)?.answer()
    expect(await first).toEqual([1])
    await expect(reads.next()).rejects.toThrow('two')
    expect(sent.get(4)?.signal.aborted).toBe(true)
    expect(await reads.next()).toEqual([])
  })

  test('end with the caller’s reason', async () => {
    const caller = new AbortController()
    const { sent, reads } = reading(5, { signal: caller.signal })
    const first = reads.next()
    await settle()
    const reason = new Error('changed my mind')
    caller.abort(reason)
    expect([...sent.values()].every(({ signal }) => signal.reason === reason)).toBe(true)
    sent.get(1)?.fail(reason)
    await expect(first).rejects.toBe(reason)
  })

  test('end when no more is wanted', async () => {
    const { sent, reads } = reading(5)
    const first = reads.next()
    await settle()
    sent.get(1)?.answer()
    await first
    reads.end()
    expect([2, 3, 4].map((n) => sent.get(n)?.signal.aborted)).toEqual([true, true, true])
    expect(await reads.next()).toEqual([])
  })
})
