import { InvalidArgumentError } from '@firn/env'
import { LONG } from '@firn/test-support'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { BlockCache, type CachedFile, type Reservation } from '../src/index.js'
import { type Block, block, within } from './block.js'

describe('budget', () => {
  test('serves a block that weighs more than the budget without keeping it', async () => {
    const cache = new BlockCache({ bytes: 100 })
    const file = cache.file<Block>('file')
    await file.load(1, async () => block('small', 60))
    expect((await file.load(0, async () => block('big', 101))).name).toBe('big')
    expect(file.has(0)).toBe(false)
    expect(file.has(1)).toBe(true)
  })

  test('works with no budget at all', async () => {
    const cache = new BlockCache({ bytes: 0 })
    const file = cache.file<Block>('file')
    expect((await file.load(0, async () => block('a', 10))).name).toBe('a')
    expect(cache.usedBytes).toBe(0)
  })

  test('35: makes room for reservations, and takes it back', async () => {
    const cache = new BlockCache({ bytes: 1000 })
    const file = cache.file<Block>('file')
    for (let slot = 0; slot < 10; slot++) await file.load(slot, async () => block('x', 100))
    const reservation = cache.reserve(450)
    expect(cache.stats().entries).toBe(5)
    reservation.resize(2000)
    expect(cache.usedBytes).toBe(2000)
    expect(cache.stats().entries).toBe(0)
    reservation.release()
    reservation.release()
    expect(cache.usedBytes).toBe(0)
  })

  test('evicts when the budget shrinks', async () => {
    const cache = new BlockCache({ bytes: 1000 })
    const file = cache.file<Block>('file')
    for (let slot = 0; slot < 10; slot++) await file.load(slot, async () => block('x', 100))
    cache.bytes = 300
    expect(cache.usedBytes).toBe(300)
    expect(() => {
      cache.bytes = -1
    }).toThrow(InvalidArgumentError)
  })

  test('never evicts what is pinned, before or after it was loaded', async () => {
    const cache = new BlockCache({ bytes: 300 })
    const file = cache.file<Block>('file')
    await file.load(0, async () => block('a', 200))
    file.pin(0)
    file.pin(0)
    file.pin(1)
    await file.load(1, async () => block('b', 200))
    expect(cache.usedBytes).toBe(400)
    for (let slot = 2; slot < 20; slot++) await file.load(slot, async () => block('x', 100))
    expect([file.has(0), file.has(1)]).toEqual([true, true])
    file.unpin(0)
    expect(file.has(0)).toBe(true)
    file.unpin(0)
    expect(cache.usedBytes).toBeLessThanOrEqual(300)
    expect(() => file.unpin(0)).toThrow('not pinned')
  })

  test('keeps a closed file for the next opener, unless asked to drop it', async () => {
    const cache = new BlockCache({ bytes: 1000 })
    const first = cache.file<Block>('file')
    await first.load(0, async () => block('a', 100))
    first.pin(0)
    first.close()
    expect(cache.stats().pinnedBytes).toBe(0)
    const second = cache.file<Block>('file')
    const third = cache.file<Block>('file')
    expect(second.peek(0)?.name).toBe('a')
    second.close({ drop: true })
    expect(third.has(0)).toBe(true)
    third.close({ drop: true })
    expect(cache.stats()).toMatchObject({ entries: 0, files: 0, usedBytes: 0 })
  })

  test('forgets a closed file with its last block', async () => {
    const cache = new BlockCache({ bytes: 200 })
    const closed = cache.file<Block>('closed')
    await closed.load(0, async () => block('a', 100))
    closed.peek(0)
    closed.close()
    expect(cache.stats().files).toBe(1)
    cache.clear()
    expect(cache.stats()).toMatchObject({ files: 0, hits: 1, misses: 1, evictions: 1 })
  })

  test('35: holds to its budget, one value and one load per slot, whatever happens', async () => {
    const bytes = fc.integer({ min: 0, max: 120 })
    const slot = fc.integer({ min: 0, max: 11 })
    const name = fc.constantFrom('a', 'b', 'c')
    const step = fc.oneof(
      { weight: 8, arbitrary: fc.record({ do: fc.constant('load' as const), name, slot, bytes }) },
      { weight: 4, arbitrary: fc.record({ do: fc.constant('twice' as const), name, slot, bytes }) },
      { weight: 8, arbitrary: fc.record({ do: fc.constant('peek' as const), name, slot }) },
      fc.record({ do: fc.constant('pin' as const), name, slot }),
      fc.record({ do: fc.constant('unpin' as const), name, slot }),
      fc.record({ do: fc.constant('evict' as const), name, slot }),
      fc.record({ do: fc.constant('reopen' as const), name, drop: fc.boolean() }),
      fc.record({ do: fc.constant('reserve' as const), bytes }),
      fc.record({ do: fc.constant('release' as const) }),
      fc.record({ do: fc.constant('budget' as const), bytes: fc.integer({ min: 0, max: 600 }) }),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 120 }), async (steps) => {
        const cache = new BlockCache({ bytes: 400 })
        const files = new Map<string, CachedFile<Block>>()
        for (const n of ['a', 'b', 'c']) files.set(n, cache.file<Block>(n))
        const file = (n: string) => files.get(n) as CachedFile<Block>
        // The model: the value that each slot may hold, its pins, and the reservations.
        const values = new Map<string, Block>()
        const pins = new Map<string, number>()
        const reservations: Reservation[] = []
        const load = async (n: string, s: number, size: number, times: number) => {
          let calls = 0
          const resident = file(n).has(s)
          const loader = async () => {
            calls++
            return block(`${n}/${s}`, size)
          }
          const got = await Promise.all(
            Array.from({ length: times }, () => file(n).load(s, loader)),
          )
          expect(calls).toBe(resident ? 0 : 1)
          for (const value of got) expect(value).toBe(got[0])
          if (resident) expect(got[0]).toBe(values.get(`${n}/${s}`))
          values.set(`${n}/${s}`, got[0] as Block)
        }
        for (const now of steps) {
          if (now.do === 'load') await load(now.name, now.slot, now.bytes, 1)
          else if (now.do === 'twice') await load(now.name, now.slot, now.bytes, 2)
          else if (now.do === 'peek') {
            const got = file(now.name).peek(now.slot)
            if (got !== undefined) expect(got).toBe(values.get(`${now.name}/${now.slot}`))
          } else if (now.do === 'pin') {
            const at = `${now.name}/${now.slot}`
            pins.set(at, (pins.get(at) ?? 0) + 1)
            file(now.name).pin(now.slot)
          } else if (now.do === 'unpin') {
            const at = `${now.name}/${now.slot}`
            const count = pins.get(at) ?? 0
            if (count > 0) file(now.name).unpin(now.slot)
            pins.set(at, Math.max(0, count - 1))
          } else if (now.do === 'evict') {
            file(now.name).evict(now.slot)
            expect(file(now.name).has(now.slot)).toBe(false)
          } else if (now.do === 'reopen') {
            file(now.name).close({ drop: now.drop })
            files.set(now.name, cache.file<Block>(now.name))
            for (const at of [...pins.keys()]) if (at.startsWith(now.name)) pins.delete(at)
          } else if (now.do === 'reserve') reservations.push(cache.reserve(now.bytes))
          else if (now.do === 'release') reservations.pop()?.release()
          else cache.bytes = now.bytes

          let resident = 0
          let pinned = 0
          for (const [at, value] of values) {
            const [n = '', s = ''] = at.split('/')
            if (!file(n).has(Number(s))) continue
            resident += value.memoryBytes
            if ((pins.get(at) ?? 0) > 0) pinned += value.memoryBytes
          }
          const reserved = reservations.reduce((sum, r) => sum + r.bytes, 0)
          expect(cache.usedBytes).toBe(resident + reserved)
          expect(cache.stats()).toMatchObject({ pinnedBytes: pinned, reservedBytes: reserved })
          expect(within(cache)).toBe(true)
        }
      }),
      { numRuns: LONG ? 5000 : 300 },
    )
  })
})
