import { MemoryCommitLog, MemoryLeases, MemoryLogStorage, ObjectCommitLog } from '@firn/commit-log'
import { isFirnError } from '@firn/env'
import { TestEnv } from '@firn/env/testing'
import { MemoryObjectStore, MeteredObjectStore, type ObjectStore } from '@firn/object-store'
import { expect, test } from 'vitest'
import { type Database, type OpenOptions, open } from '../../src/index.js'
import { MaintenanceLease } from '../../src/internal/maintenance/maintenance-lease.js'
import { openDatabase } from '../../src/internal/open/open-database.js'
import { hooked } from '../support/hooked-store.js'
import { overriding } from '../support/overriding.js'

const TEXT = { keys: 'utf8', values: 'utf8', history: 'none' } as const
const QUIET: OpenOptions = { compaction: 'off', maxStalenessMs: 1e9 }

/** Deletes a key by a batch that is too large for an entry: its records go into a file at once. */
async function deleteByFile(db: Database, key: string): Promise<void> {
  const table = db.table('t', TEXT)
  const batch = db.batch().delete(table, key)
  for (let i = 0; i < 200; i++) batch.put(table, `z${i}`, 'x'.repeat(20))
  await batch.write()
}

test('a deleted key stays deleted when another process flushes and compacts part of a memtable', async () => {
  const storage = new MemoryLogStorage()
  const base = new MemoryObjectStore()
  const { store, before } = hooked(base)
  const options = { ...QUIET, tuning: { inlineLimitBytes: 1000 } }
  const log = (): MemoryCommitLog => new MemoryCommitLog({ storage })
  await using a = await open({ store, log }, options)
  await using b = await open({ store: base, log }, options)
  const [inA, inB] = [a.table('t', TEXT), b.table('t', TEXT)]
  await inA.put('k', 'one')
  await b.refresh()
  await deleteByFile(a, 'k')
  await b.refresh()
  expect(await inB.get('k')).toBeUndefined()
  // Committed between the seal of A's memtable and A's flush: B has both in one memtable.
  before(() => inB.put('other', '1'))
  await a.compact()
  expect(await inA.get('k')).toBeUndefined()
  await b.refresh()
  expect(await inB.get('k')).toBeUndefined()
  expect(await inB.get('other')).toBe('1')
  await b.compact()
  await a.refresh()
  expect(await inA.get('k')).toBeUndefined()
  await using c = await open({ store: base, log }, options)
  expect(await c.table('t', TEXT).get('k')).toBeUndefined()
  expect(await c.table('t', TEXT).get('other')).toBe('1')
})

test('a deleted key stays deleted when a log is replayed over a flush', async () => {
  const storage = new MemoryLogStorage()
  const base = new MemoryObjectStore()
  const { store, before } = hooked(base)
  // No checkpoint says what is in files: the next open reads the log from its beginning.
  const failing = overriding<ObjectStore>(store, {
    put: async (key: string, ...args: [Uint8Array]) => {
      if (key.startsWith('checkpoints/')) throw new Error('down')
      return store.put(key, ...args)
    },
  })
  const options = { ...QUIET, tuning: { inlineLimitBytes: 1000 } }
  const log = (): MemoryCommitLog => new MemoryCommitLog({ storage, exclusive: true })
  const crashed = await open({ store: failing, log }, options)
  const table = crashed.table('t', TEXT)
  await table.put('k', 'one')
  await deleteByFile(crashed, 'k')
  before(() => table.put('other', '1'))
  await crashed.compact()
  await using db = await open({ store: base, log }, options)
  expect(await db.table('t', TEXT).get('k')).toBeUndefined()
  expect(await db.table('t', TEXT).get('other')).toBe('1')
  await crashed.close()
})

test('a log that ends before the checkpoint is another one, and nothing is written to it', async () => {
  const store = new MemoryObjectStore()
  const storage = new MemoryLogStorage()
  const elsewhere = new MemoryLogStorage()
  {
    await using db = await open({ store, log: () => new MemoryCommitLog({ storage }) }, QUIET)
    await db.table('t', TEXT).put('k', 'v')
    await db.compact()
  }
  await expect(
    open({ store, log: () => new MemoryCommitLog({ storage: elsewhere }) }, QUIET),
  ).rejects.toMatchObject({
    code: 'FIRN_CORRUPTION',
    message: expect.stringMatching(/another log/),
  })
  await using db = await open({ store, log: () => new MemoryCommitLog({ storage }) }, QUIET)
  expect(await db.table('t', TEXT).get('k')).toBe('v')
})

test('a writer that found the database over its limits goes on when another process has compacted', async () => {
  const env = new TestEnv()
  const store = new MemoryObjectStore()
  const storage = new MemoryLogStorage()
  const log = (): MemoryCommitLog => new MemoryCommitLog({ storage })
  await using a = await open({ store, log }, { ...QUIET, env, tuning: { inlineLimitBytes: 100 } })
  for (let i = 0; i < 3; i++) {
    const batch = a.batch()
    for (let j = 0; j < 20; j++) batch.put(a.table('t', TEXT), `k${j}`, 'v'.repeat(20))
    await batch.write()
  }
  await using b = await open({ store, log }, { ...QUIET, env, tuning: { level0Stop: 3 } })
  let written = false
  const put = b
    .table('t', TEXT)
    .put('x', 'y')
    .then(() => {
      written = true
    })
  await env.yield()
  expect(written).toBe(false)
  await a.compact()
  for (let i = 0; i < 20 && !written; i++) {
    env.advance(500)
    for (let j = 0; j < 20; j++) await env.yield()
  }
  await put
})

test('batches that are files from the start make no endless tail', async () => {
  const base = new MemoryObjectStore()
  const opened = (): Promise<Database> => {
    const store = new MeteredObjectStore(base)
    const located = {
      store,
      meter: () => ({ ...store.snapshot(), dollars: 0 }),
      makeLog: (incarnation: string) =>
        new ObjectCommitLog(store, incarnation, { inlineLimitBytes: 100 }),
      tail: { bytes: 2 ** 22, entries: 20 },
      ownsStore: false,
      ownsLog: true,
      directory: undefined,
    }
    return openDatabase(located, {})
  }
  {
    await using db = await opened()
    const table = db.table('t', TEXT)
    for (let i = 0; i < 200; i++) {
      const batch = db.batch()
      for (let j = 0; j < 5; j++) batch.put(table, `k${i} ${j}`, 'v'.repeat(50))
      await batch.write()
    }
    await db.compact()
  }
  await using db = await opened()
  expect((await db.stats()).requests.requests).toBeLessThan(60)
  expect(await db.table('t', TEXT).count()).toBe(1000)
})

test('the lease for maintenance is not mistaken for another’s while it is let go of', async () => {
  const env = new TestEnv()
  const { signal } = new AbortController()
  const options = { env, leases: new MemoryLeases({ env }), logger: undefined, onRefused: () => {} }
  const lease = new MaintenanceLease({ ...options, isUrgent: () => false })
  const other = new MaintenanceLease({ ...options, isUrgent: () => false })
  const hurried = new MaintenanceLease({ ...options, isUrgent: () => true })
  const first = await lease.hold(signal, false)
  const second = await lease.hold(signal, false)
  expect(await other.hold(signal, false)).toBeUndefined()
  // Who has writers that wait does the work without.
  expect(await hurried.hold(signal, false)).toBeDefined()
  await first?.()
  const released = second?.()
  const third = await lease.hold(signal, false)
  expect(third).toBeDefined()
  await released
  await third?.()
})

test('an outage of the store ends no writing on a shared log', async () => {
  const env = new TestEnv()
  const base = new MemoryObjectStore()
  let down = false
  const store = overriding<ObjectStore>(base, {
    upload: async (...args) => {
      if (down) throw new Error('503')
      return base.upload(...args)
    },
  })
  const storage = new MemoryLogStorage()
  const log = (): MemoryCommitLog => new MemoryCommitLog({ storage })
  await using db = await open({ store, log }, { ...QUIET, env, memtableBytes: 2048 })
  const table = db.table('t', TEXT)
  down = true
  for (let i = 0; i < 30; i++) await table.put(`k${i}`, 'x'.repeat(100))
  for (let i = 0; i < 100; i++) {
    env.advance(200)
    await env.yield()
  }
  down = false
  const write = async (): Promise<void> => {
    for (let i = 30; i < 90; i++) await table.put(`k${i}`, 'x'.repeat(100))
  }
  let failure: unknown
  let done = false
  void write().then(
    () => {
      done = true
    },
    (error: unknown) => {
      failure = error
      done = true
    },
  )
  for (let i = 0; i < 500 && !done; i++) {
    env.advance(200)
    for (let j = 0; j < 10; j++) await env.yield()
  }
  expect(isFirnError(failure)).toBe(false)
  expect(await table.count()).toBe(90)
})

test('a table that another process makes meanwhile does not get the writes of a new one', async () => {
  const store = new MemoryObjectStore()
  const storage = new MemoryLogStorage()
  const parts = { store, log: () => new MemoryCommitLog({ storage }) }
  await using a = await open(parts, { maxStalenessMs: 0 })
  await using b = await open(parts, { maxStalenessMs: 0 })
  await a.table('first', TEXT).put('k', 'v')
  await b.refresh()
  const pending = [
    a.table('first', TEXT).put('k', 'in flight'),
    a.table('new', TEXT).put('k1', 'for new'),
    b.table('other', TEXT).put('k0', 'for other'),
  ]
  await a.refresh()
  pending.push(a.table('other', TEXT).put('k2', 'for other'))
  await Promise.all(pending)
  await a.refresh()
  expect(await a.table('new', TEXT).scan().toArray()).toEqual([['k1', 'for new']])
  expect(await a.table('other', TEXT).scan().toArray()).toEqual([
    ['k0', 'for other'],
    ['k2', 'for other'],
  ])
})
