import { MemoryCommitLog, MemoryLogStorage, ObjectCommitLog } from '@firn/commit-log'
import { MemoryObjectStore, MeteredObjectStore, type ObjectStore } from '@firn/object-store'
import { LONG } from '@firn/test-support'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Database, type OpenOptions, open } from '../../src/index.js'
import {
  ascending,
  filesIn,
  number,
  putAll,
  RUN_BYTES,
  row,
  SMALL_RUNS,
  scattered,
  TEXT,
} from '../support/large-batches.js'
import { makePlace, PLACE_KINDS, TINY } from '../support/locations.js'
import { overriding } from '../support/overriding.js'

describe('a batch of many runs', () => {
  const TABLES = ['there', 'new', 'other'] as const
  const write = fc.record({
    table: fc.constantFrom(...TABLES),
    key: fc.nat(300).map(String),
    value: fc.option(
      fc.nat(60).map((length) => 'v'.repeat(length)),
      { nil: undefined, freq: 4 },
    ),
  })
  const batch = fc.record({
    writes: fc.array(write, { minLength: 50, maxLength: 300 }),
    ordered: fc.boolean(),
    drains: fc.nat(20),
    clearAt: fc.option(fc.nat(300), { nil: undefined, freq: 5 }),
  })

  test.each(PLACE_KINDS)(
    'is what a map says, before, after, and ever after (%s)',
    async (kind) => {
      await fc.assert(
        fc.asyncProperty(fc.array(batch, { minLength: 1, maxLength: 3 }), async (batches) => {
          const place = makePlace(kind)
          const options = { ...TINY, memtableBytes: 1024 }
          let db = await place.open(options)
          const model = new Map<string, string>()
          const moments: { version: number; rows: Map<string, string> }[] = []
          const tableOf = (name: string) => db.table(name, { keys: 'utf8', values: 'utf8' })
          const check = async (version?: number): Promise<Map<string, string>> => {
            const rows = new Map<string, string>()
            const at = version === undefined ? {} : { at: { version } }
            for (const name of TABLES) {
              for await (const [key, value] of tableOf(name).scan(at)) {
                rows.set(`${name} ${key}`, value)
              }
            }
            return rows
          }
          try {
            await tableOf('there').put('1', 'from before')
            model.set('there 1', 'from before')
            moments.push({ version: db.version, rows: new Map(model) })
            for (const { writes, ordered, drains, clearAt } of batches) {
              const inOrder = ordered
                ? [...writes].sort((a, b) => (a.table + a.key < b.table + b.key ? -1 : 1))
                : writes
              const one = db.batch()
              let kept = inOrder
              for (const [i, { table, key, value }] of inOrder.entries()) {
                if (value === undefined) one.delete(tableOf(table), key)
                else one.put(tableOf(table), key, value)
                if (drains > 0 && i % drains === 0) await one.drain()
                if (i !== clearAt) continue
                one.clear()
                kept = inOrder.slice(i + 1)
              }
              expect(one.size).toBe(kept.length)
              const before = new Map(model)
              const { version } = await one.write()
              for (const { table, key, value } of kept) {
                if (value === undefined) model.delete(`${table} ${key}`)
                else model.set(`${table} ${key}`, value)
              }
              expect(db.version).toBeGreaterThanOrEqual(version)
              moments.push({ version, rows: new Map(model) })
              // Of the version before, tables may be there, but no row of the batch. An empty one
              // makes none.
              if (kept.length > 0) moments.push({ version: version - 1, rows: before })
              expect(await check()).toEqual(model)
            }
            await db.compact()
            for (const { version, rows } of moments) expect(await check(version)).toEqual(rows)
            await db.close()
            db = await place.open(options)
            for (const { version, rows } of moments) expect(await check(version)).toEqual(rows)
            for (const key of ['0', '17', '300']) {
              expect(await tableOf('there').get(key)).toBe(model.get(`there ${key}`))
            }
          } finally {
            await db.close()
          }
        }),
        { numRuns: (LONG ? 20 : 1) * (kind === 'memory' ? 20 : 6), endOnFailure: true },
      )
    },
    600_000,
  )

  test('is read whole by another process at the next version, and not before', async () => {
    const store = new MemoryObjectStore()
    const storage = new MemoryLogStorage()
    const log = () => new MemoryCommitLog({ storage })
    await using a = await open({ store, log }, SMALL_RUNS)
    await using b = await open({ store, log }, SMALL_RUNS)
    await a.table('t', TEXT).put('first', 'row')
    const before = await b.refresh()
    const batch = a.batch()
    await putAll(batch, a.table('t', TEXT), scattered(1000))
    await b.refresh()
    expect(await b.table('t', TEXT).count()).toBe(1)
    const { version } = await batch.write()
    expect(version).toBe(before + 1)
    expect(await b.refresh()).toBe(version)
    const rows = await b.table('t', TEXT).scan({ lt: 'a' }).toArray()
    expect(rows).toEqual(ascending(1000).map(row))
    expect(await b.table('t', TEXT).count({ at: { version: before } })).toBe(1)
  })
})

describe('requests', () => {
  /** A database whose log is objects, too: every request goes through one meter. */
  async function metered(
    options: OpenOptions,
  ): Promise<{ db: Database; store: MeteredObjectStore }> {
    const store = new MeteredObjectStore(new MemoryObjectStore())
    const log = (incarnation: string) => new ObjectCommitLog(store, incarnation)
    return { db: await open({ store, log }, options), store }
  }

  /** Requests of each kind that some work made; kinds without any are left out. */
  async function requestsOf(
    store: MeteredObjectStore,
    work: () => Promise<unknown>,
  ): Promise<Record<string, number>> {
    const counts = () => Object.entries(store.snapshot().kinds)
    const before = new Map(counts().map(([kind, { requests }]) => [kind, requests]))
    await work()
    return Object.fromEntries(
      counts()
        .map(([kind, { requests }]) => [kind, requests - (before.get(kind) ?? 0)] as const)
        .filter(([, count]) => count > 0),
    )
  }

  test('of an import in key order are those of its files, and one entry', async () => {
    const { db, store } = await metered(SMALL_RUNS)
    await using _ = db
    const [one, two] = [db.table('one', TEXT), db.table('two', TEXT)]
    await db.batch().put(one, 'first', 'row').put(two, 'first', 'row').write()
    const requests = await requestsOf(store, async () => {
      const batch = db.batch()
      // Both in their own order, side by side.
      for (const i of ascending(1000)) {
        batch.put(one, ...row(i)).put(two, ...row(i))
        if (i % 10 === 0) await batch.drain()
      }
      await batch.write()
    })
    const files = (await db.stats()).levels[0]?.files ?? 0
    expect(files).toBeGreaterThan(30)
    // A file is far smaller than a part: each is one write.
    expect(requests).toEqual({
      uploadStart: files,
      uploadWrite: files,
      uploadFinish: files,
      put: 1,
    })
    expect(await one.count({ lt: 'a' })).toBe(1000)
    expect(await two.get(number(999))).toBe(row(999)[1])
  })

  test('of one out of order are those of runs, their merge, and one entry', async () => {
    const { db, store } = await metered(SMALL_RUNS)
    await using _ = db
    const table = db.table('t', TEXT)
    await table.put('first', 'row')
    const requests = await requestsOf(store, async () => {
      const batch = db.batch()
      await putAll(batch, table, scattered(1000))
      await batch.write()
    })
    expect(requests['put']).toBe(1)
    expect(requests['get']).toBeGreaterThan(0)
    // What was merged away is gone, by one request.
    expect(requests['delete']).toBe(1)
    const files = (await db.stats()).levels[0]?.files
    expect(await filesIn(store)).toHaveLength(files ?? -1)
    expect(await table.count({ lt: 'a' })).toBe(1000)
  })

  test('of a batch that fits one run are those of one file, whatever the tables', async () => {
    const { db, store } = await metered({ ...SMALL_RUNS, memtableBytes: 1024 * 1024 })
    await using _ = db
    const tables = ['a', 'b', 'c'].map((name) => db.table(name, TEXT))
    for (const table of tables) await table.put('first', 'row')
    const requests = await requestsOf(store, async () => {
      const batch = db.batch()
      for (const table of tables) await putAll(batch, table, scattered(40))
      await batch.write()
    })
    expect(requests).toEqual({ uploadStart: 1, uploadWrite: 1, uploadFinish: 1, put: 1 })
  })
})

test('files of one commit that lie side by side hold up no writer, and are one place to look', async () => {
  await using db = await open('memory:', { ...SMALL_RUNS, tuning: { inlineLimitBytes: 2000 } })
  const table = db.table('t', TEXT)
  const batch = db.batch()
  await putAll(batch, table, ascending(4000))
  await batch.write()
  const { levels, amplification } = await db.stats()
  expect(levels[0]?.files).toBeGreaterThan(40)
  expect(amplification.read).toBe(2)
  await table.put('later', 'row')
  expect((await db.stats()).writes).toEqual({ slowdowns: 0, stops: 0 })
  expect(await table.get(number(1234))).toBe(row(1234)[1])
  expect(await table.get('not there')).toBeUndefined()
  expect(await table.scan({ gte: number(1000), lt: number(1300) }).toArray()).toEqual(
    ascending(300).map((i) => row(1000 + i)),
  )
  expect((await table.scan({ reverse: true, limit: 2 }).toArray()).map(([key]) => key)).toEqual([
    'later',
    number(3999),
  ])
})

describe('memory', () => {
  /** A store that tells how much has arrived, and takes a while for it. */
  function slow(): { store: ObjectStore; arrived: () => number } {
    let arrived = 0
    const base = new MemoryObjectStore()
    const store = overriding<ObjectStore>(base, {
      upload: async (...args: Parameters<ObjectStore['upload']>) => {
        const upload = await base.upload(...args)
        return {
          write: (bytes: Uint8Array) => upload.write(bytes),
          abort: () => upload.abort(),
          finish: async () => {
            for (let i = 0; i < 5; i++) await new Promise((resolve) => setImmediate(resolve))
            const done = await upload.finish()
            arrived += done.size
            return done
          },
        }
      },
    })
    return { store, arrived: () => arrived }
  }

  async function mostWaiting(drains: boolean): Promise<number> {
    const { store, arrived } = slow()
    await using db = await open({ store, log: () => new MemoryCommitLog() }, SMALL_RUNS)
    const table = db.table('t', TEXT)
    const batch = db.batch()
    let [put, most] = [0, 0]
    for (const i of ascending(3000)) {
      const [key, value] = row(i)
      batch.put(table, key, value)
      put += key.length + value.length
      if (drains && i % 10 === 0) await batch.drain()
      most = Math.max(most, put - arrived())
    }
    await batch.write()
    expect(await table.count()).toBe(3000)
    return most
  }

  test('holds about three runs of a batch that is drained, and all of one that is not', async () => {
    expect(await mostWaiting(true)).toBeLessThan(3.5 * RUN_BYTES)
    expect(await mostWaiting(false)).toBeGreaterThan(30 * RUN_BYTES)
  })
})

test('a value larger than the log takes inline becomes a file', async () => {
  await using db = await open('memory:', TINY)
  const table = db.table('t', TEXT)
  await table.put('large', 'x'.repeat(5000))
  expect((await db.stats()).levels[0]?.files).toBe(1)
  expect(await table.get('large')).toBe('x'.repeat(5000))
})
