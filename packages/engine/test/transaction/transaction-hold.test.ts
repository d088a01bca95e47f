import { type Env, systemEnv } from '@firn/env'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Database, Table } from '../../src/index.js'
import { makePlace, PLACE_KINDS, type Place } from '../support/locations.js'

const TEXT = { keys: 'utf8', values: 'utf8' } as const

describe.each(PLACE_KINDS)('a transaction that keeps losing (%s)', (kind) => {
  let place: Place
  let db: Database
  let table: Table<string, string>
  let isHasty: boolean

  beforeEach(async () => {
    place = makePlace(kind)
    isHasty = false
    // Where a test wants it, writes are held up for a hundredth of the time.
    const env: Env = {
      ...systemEnv,
      sleep: (ms, signal, options) => systemEnv.sleep(isHasty ? ms / 100 : ms, signal, options),
    }
    db = await place.open({ compaction: 'off', env })
    table = db.table('t', TEXT)
    for (let i = 0; i < 20; i++) await table.put(`key ${i}`, 'v')
  })

  afterEach(async () => {
    await db.close()
  })

  test.each(['durable', 'buffered'] as const)(
    'commits though its own process writes to what it reads all the time: %s writes',
    async (durability) => {
      let isOver = false
      let writes = 0
      const writing = Promise.all(
        [0, 1, 2].map(async (i) => {
          while (!isOver) {
            await table.put(`key ${i}`, String(writes++), { durability })
            await systemEnv.yield()
          }
        }),
      )
      let runs = 0
      await db.transaction(async (tx) => {
        runs++
        const t = tx.table('t', TEXT)
        const count = await t.count()
        // Others have many turns meanwhile.
        const before = writes
        for (let i = 0; i < 50 && writes < before + 10; i++) await systemEnv.yield()
        await t.put('count', String(count))
      })
      const atCommit = writes
      expect(runs).toBeLessThanOrEqual(7)
      // The others go on.
      while (writes < atCommit + 10) await systemEnv.yield()
      isOver = true
      await writing
      expect(await table.get('count')).toBe('20')
    },
  )

  test('doesn’t wait for ever for a write of its own that contradicts it', async () => {
    isHasty = true
    let runs = 0
    const transaction = db.transaction(
      async (tx) => {
        const count = await tx.table('t', TEXT).count()
        await table.put(`own ${runs++}`, 'v')
        await tx.table('t', TEXT).put('count', String(count))
      },
      { attempts: 8 },
    )
    await expect(transaction).rejects.toMatchObject({ code: 'FIRN_TRANSACTION_CONFLICT' })
    expect(runs).toBe(8)
    expect(await table.count({ prefix: 'own' })).toBe(8)
  })

  test('and one more like it don’t wait for each other for ever', async () => {
    isHasty = true
    let runs = 0
    const transaction = () =>
      db.transaction(async (tx) => {
        const t = tx.table('t', TEXT)
        const count = await t.count()
        await t.put(`added ${count}`, 'v')
        if (runs++ < 30) await table.put(`own ${runs}`, 'v')
      })
    await Promise.all([transaction(), transaction(), transaction()])
    expect(await table.count({ prefix: 'added' })).toBe(3)
  })

  test('lets writes go on when it fails, or is given up', async () => {
    const stop = new AbortController()
    let runs = 0
    const transaction = db.transaction(
      async (tx) => {
        await tx.table('t', TEXT).count()
        if (++runs <= 5) await table.put('key 1', String(runs))
        else stop.abort(new Error('changed my mind'))
        await tx.table('t', TEXT).put('count', '1')
      },
      { signal: stop.signal },
    )
    await expect(transaction).rejects.toThrow('changed my mind')
    await table.put('key 1', 'after')
    expect(await table.get('key 1')).toBe('after')
  })
})
