import { type CommitLog, MemoryCommitLog, MemoryLogStorage } from '@firn/commit-log'
import { FirnError } from '@firn/env'
import { MemoryObjectStore, type ObjectStore } from '@firn/object-store'
import { FaultyObjectStore, plannedFaults } from '@firn/object-store/testing'
import { describe, expect, test } from 'vitest'
import { type Database, type OpenOptions, open } from '../../src/index.js'
import { event } from '../support/event.js'
import {
  ascending,
  filesIn,
  putAll,
  row,
  SMALL_RUNS,
  scattered,
  TEXT,
} from '../support/large-batches.js'
import { overriding } from '../support/overriding.js'

describe('where a batch of many runs fails', () => {
  const cases = [
    ['upload', 3],
    ['uploadWrite', 7],
    ['uploadFinish', 0],
    ['uploadFinish', 35],
    ['get', 20],
  ] as const

  test.each(cases)('at %s, after %i, nothing of it is there', async (operation, after) => {
    const base = new MemoryObjectStore()
    const store = new FaultyObjectStore(base)
    const storage = new MemoryLogStorage()
    await using db = await open({ store, log: () => new MemoryCommitLog({ storage }) }, SMALL_RUNS)
    const table = db.table('t', TEXT)
    await table.put('first', 'row')
    store.setSchedule(plannedFaults({ operation, after, kind: 'error-before' }))
    const batch = db.batch()
    let drained: unknown
    for (const i of scattered(2000)) {
      batch.put(table, ...row(i))
      await batch.drain().catch((error: unknown) => {
        drained = error
      })
    }
    const { version } = db
    const failure = await batch.write().catch((error: unknown) => error)
    expect(failure).toMatchObject({ code: expect.stringMatching(/^FIRN_/) })
    // Runs fail while the batch is filled, their merge when it is written.
    if (operation !== 'get' && after < 20) expect(drained).toBe(failure)
    expect(db.version).toBe(version)
    expect(await filesIn(base)).toEqual([])
    expect(await table.count()).toBe(1)
    const again = db.batch()
    await putAll(again, table, scattered(2000))
    await again.write()
    expect(await table.count()).toBe(2001)
  })

  describe.each([true, false])('because a table was dropped (exclusive: %s)', (exclusive) => {
    /** A database that somebody else drops a table of when its runs are merged. */
    async function opened(whenMerging: (other: Database) => Promise<unknown>): Promise<{
      store: ObjectStore
      db: Database
      other: Database
    }> {
      const store = new MemoryObjectStore()
      const storage = new MemoryLogStorage()
      const log = () => new MemoryCommitLog({ storage, exclusive })
      let merging = false
      const hooked = overriding<ObjectStore>(store, {
        get: async (...[key, options]: Parameters<ObjectStore['get']>) => {
          if (key.endsWith('.sst') && !merging) {
            merging = true
            await whenMerging(other)
          }
          return store.get(key, options)
        },
      })
      const db = await open({ store: hooked, log }, SMALL_RUNS)
      const other = exclusive ? db : await open({ store, log }, SMALL_RUNS)
      await db.table('dropped', TEXT).put('first', 'row')
      return { store, db, other }
    }

    test('and made anew between two runs, it is a conflict', async () => {
      const { store, db, other } = await opened(async () => {})
      const table = db.table('dropped', TEXT)
      const batch = db.batch()
      await putAll(batch, table, scattered(500))
      await other.dropTable('dropped')
      await other.table('dropped', TEXT).put('another', 'table')
      await expect(batch.write()).rejects.toMatchObject({ code: 'FIRN_COMMIT_CONFLICT' })
      expect(await table.keys({ fresh: true }).toArray()).toEqual(['another'])
      expect(await filesIn(store)).toEqual([])
      await Promise.all([db.close(), other.close()])
    })

    test('when all of its runs were written, it is a conflict', async () => {
      const { store, db, other } = await opened((of) => of.dropTable('dropped'))
      const kept = db.table('kept', TEXT)
      const batch = db.batch()
      await putAll(batch, kept, ascending(300))
      await putAll(batch, db.table('dropped', TEXT), scattered(500))
      await expect(batch.write()).rejects.toMatchObject({ code: 'FIRN_COMMIT_CONFLICT' })
      expect(await kept.count()).toBe(0)
      expect(await filesIn(store)).toEqual([])
      await Promise.all([db.close(), other.close()])
    })
  })

  test('or its signal aborts, nothing of it is there', async () => {
    const base = new MemoryObjectStore()
    const store = new FaultyObjectStore(base)
    await using db = await open({ store, log: () => new MemoryCommitLog() }, SMALL_RUNS)
    const table = db.table('t', TEXT)
    const batch = db.batch()
    await putAll(batch, table, scattered(500))
    store.setSchedule(plannedFaults({ operation: 'uploadFinish', kind: 'hang' }))
    const stop = new AbortController()
    const written = batch.write({ signal: stop.signal })
    stop.abort(new Error('enough'))
    await expect(written).rejects.toThrow('enough')
    await db.close()
    expect(await filesIn(base)).toEqual([])
  })

  test.each([true, false])(
    'when it is merged and waits for others, nothing of it is there (exclusive: %s)',
    async (exclusive) => {
      const base = new MemoryObjectStore()
      const storage = new MemoryLogStorage()
      const log = () => new MemoryCommitLog({ storage, exclusive })
      const stop = new AbortController()
      const merged = new Set<string>()
      const store = overriding<ObjectStore>(base, {
        get: async (...[key, options]: Parameters<ObjectStore['get']>) => {
          if (key.endsWith('.sst') && merged.size === 0) {
            merged.add(key)
            for (let i = 0; i < 3; i++) {
              const blocking = other.batch()
              for (let n = 0; n < 40; n++) blocking.put(other.table('other', TEXT), ...row(n))
              await blocking.write()
            }
            if (!exclusive) await db.refresh()
          }
          return base.get(key, options)
        },
      })
      const tuning = { ...SMALL_RUNS.tuning, level0Stop: 3 }
      const db = await open({ store, log }, { ...SMALL_RUNS, tuning })
      const other = exclusive ? db : await open({ store: base, log }, SMALL_RUNS)
      const batch = db.batch()
      await putAll(batch, db.table('t', TEXT), scattered(501))
      const runs = new Set(await filesIn(base))
      const failure = batch.write({ signal: stop.signal }).catch((error: unknown) => error)
      // Until the merge has written all, which the commit waits behind.
      let quiet = 0
      for (let before = 0; quiet < 50; ) {
        await new Promise((resolve) => setImmediate(resolve))
        const { length } = await filesIn(base)
        quiet = length === before && length > runs.size + 4 ? quiet + 1 : 0
        before = length
      }
      stop.abort(new Error('enough'))
      expect(await failure).toMatchObject({ message: 'enough' })
      await db.close()
      expect(await filesIn(base)).toHaveLength(3)
      await other.close()
    },
  )

  test('because the log takes nothing, it is tried again; and if that is all, nothing of it is there', async () => {
    const store = new MemoryObjectStore()
    const storage = new MemoryLogStorage()
    let refusals = 0
    const inner = new MemoryCommitLog({ storage })
    const log = () =>
      overriding<CommitLog>(inner, {
        append: async (entry) => {
          if (refusals-- > 0) {
            throw new FirnError('FIRN_THROTTLED', 'slow down', { retryable: true })
          }
          return inner.append(entry)
        },
      })
    await using db = await open({ store, log }, SMALL_RUNS)
    const table = db.table('t', TEXT)
    await table.put('first', 'row')
    for (const [times, code] of [
      [3, undefined],
      [1000, 'FIRN_THROTTLED'],
    ] as const) {
      const before = await filesIn(store)
      const batch = db.batch()
      await putAll(batch, table, scattered(501))
      refusals = times
      const outcome = await batch.write().catch((error: unknown) => error)
      expect(outcome).toMatchObject(code === undefined ? { version: db.version } : { code })
      if (code !== undefined) expect(await filesIn(store)).toEqual(before)
    }
  })

  test('or is cleared, nothing of it is there, and it can be filled again', async () => {
    const store = new MemoryObjectStore()
    const storage = new MemoryLogStorage()
    const log = () => new MemoryCommitLog({ storage })
    {
      await using db = await open({ store, log }, SMALL_RUNS)
      const table = db.table('t', TEXT)
      const batch = db.batch()
      await putAll(batch, table, scattered(500))
      batch.clear()
      expect(batch.size).toBe(0)
      await batch.drain()
      batch.put(table, 'only', 'row')
      await batch.write()
      expect(await table.keys().toArray()).toEqual(['only'])
    }
    expect(await filesIn(store)).toEqual([])
  })
})

describe('a database that is closed while a batch is written', () => {
  test.each(['runs', 'the last run', 'the merge'] as const)(
    'ends it, at %s, and leaves nothing behind',
    async (stage) => {
      const base = new MemoryObjectStore()
      const store = new FaultyObjectStore(base)
      const db = await open({ store, log: () => new MemoryCommitLog() }, SMALL_RUNS)
      const table = db.table('t', TEXT)
      const batch = db.batch()
      const operation = stage === 'the merge' ? 'get' : 'uploadFinish'
      if (stage === 'runs') store.setSchedule(plannedFaults({ operation, kind: 'hang' }))
      for (const i of scattered(500)) batch.put(table, ...row(i))
      store.setSchedule(plannedFaults({ operation, kind: 'hang', times: 100 }))
      const waiting = stage === 'runs' ? batch.drain() : batch.write()
      const failure = waiting.catch((error: unknown) => error)
      // Until it hangs.
      while (store.counts.hang === 0) await new Promise((resolve) => setImmediate(resolve))
      await db.close()
      expect(await failure).toMatchObject({ code: 'FIRN_CLOSED' })
      await expect(batch.drain()).rejects.toMatchObject({ code: 'FIRN_CLOSED' })
      if (stage === 'runs') {
        await expect(batch.write()).rejects.toMatchObject({ code: 'FIRN_CLOSED' })
      }
      expect(await filesIn(base)).toEqual([])
    },
  )

  test('waits for a merge to have tidied up', async () => {
    const base = new MemoryObjectStore()
    const slow = overriding<ObjectStore>(base, {
      delete: async (keys: readonly string[]) => {
        // The merge takes longer to delete its files than the batch to delete its runs.
        const turns = keys.some((key) => runs.includes(key)) ? 0 : 50
        for (let i = 0; i < turns; i++) await new Promise((resolve) => setImmediate(resolve))
        return base.delete(keys)
      },
    })
    let runs: string[] = []
    const store = new FaultyObjectStore(slow)
    const db = await open({ store, log: () => new MemoryCommitLog() }, SMALL_RUNS)
    const batch = db.batch()
    await putAll(batch, db.table('t', TEXT), scattered(501))
    runs = await filesIn(base)
    // The last run's file, and two of the merge.
    store.setSchedule(plannedFaults({ operation: 'uploadFinish', after: 3, kind: 'hang' }))
    const failure = batch.write().catch((error: unknown) => error)
    while (store.counts.hang === 0) await new Promise((resolve) => setImmediate(resolve))
    await db.close()
    expect(await filesIn(base)).toEqual([])
    expect(await failure).toMatchObject({ code: 'FIRN_CLOSED' })
  })

  test('finishes a commit that is on its way to the log, and what is to be tidied behind it', async () => {
    const base = new MemoryObjectStore()
    const storage = new MemoryLogStorage()
    const log = () => new MemoryCommitLog({ storage })
    const [reached, released] = [event(), event()]
    let files = Number.POSITIVE_INFINITY
    const inner = log()
    const slowLog = () =>
      overriding<CommitLog>(inner, {
        append: async (entry) => {
          if ((await filesIn(base)).length >= files) {
            reached.happen()
            await released.happened
          }
          return inner.append(entry)
        },
      })
    const db = await open({ store: base, log: slowLog }, SMALL_RUNS)
    const table = db.table('t', TEXT)
    await table.put('first', 'row')
    const batch = db.batch()
    await putAll(batch, table, scattered(500))
    files = 1
    const written = batch.write()
    await reached.happened
    const closed = db.close()
    released.happen()
    const { version } = await written
    await closed
    await using again = await open({ store: base, log }, SMALL_RUNS)
    expect(again.version).toBe(version)
    expect(await again.table('t', TEXT).count()).toBe(501)
    expect(await filesIn(base)).toHaveLength((await again.stats()).levels[0]?.files ?? -1)
  })
})

describe('files of a batch that is not committed yet', () => {
  test.each([true, false])('are never swept (exclusive: %s)', async (exclusive) => {
    const store = new MemoryObjectStore()
    const storage = new MemoryLogStorage()
    const log = () => new MemoryCommitLog({ storage, exclusive })
    const options: OpenOptions = { ...SMALL_RUNS, compaction: 'inline' }
    {
      await using db = await open({ store, log }, options)
      await db.table('t', TEXT).put('earlier', 'row')
    }
    await using db = await open({ store, log }, options)
    const batch = db.batch()
    await putAll(batch, db.table('t', TEXT), scattered(500))
    // The sweep runs after the first flush of whoever has the database to itself.
    await using other = exclusive ? db : await open({ store, log }, options)
    await other.table('t', TEXT).put('meanwhile', 'row')
    await other.compact()
    await batch.write()
    await db.compact()
    expect(await db.table('t', TEXT).count()).toBe(502)
  })

  test('are an orphan of whoever crashed, which the next one sweeps', async () => {
    const store = new MemoryObjectStore()
    const storage = new MemoryLogStorage()
    const log = () => new MemoryCommitLog({ storage, exclusive: true })
    const crashed = await open({ store, log }, SMALL_RUNS)
    const batch = crashed.batch()
    await putAll(batch, crashed.table('t', TEXT), scattered(500))
    expect((await filesIn(store)).length).toBeGreaterThan(3)
    await using db = await open({ store, log }, SMALL_RUNS)
    await db.table('t', TEXT).put('k', 'v')
    await db.close()
    await using next = await open({ store, log }, SMALL_RUNS)
    await next.table('t', TEXT).put('k', 'w')
    await next.compact()
    expect((await filesIn(store)).length).toBeLessThanOrEqual(2)
    await crashed.close()
  })
})
