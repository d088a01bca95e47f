import { MemoryCommitLog, MemoryLogStorage } from '@firn/commit-log'
import { MemoryObjectStore, type ObjectStore } from '@firn/object-store'
import { expect, test } from 'vitest'
import { open } from '../src/index.js'
import { makePlace, TINY } from './support/locations.js'
import { overriding } from './support/overriding.js'

const TYPED = { keys: 'utf8', values: 'utf8' } as const

test('a snapshot that expired says so at every read, not only at the first', async () => {
  await using db = await open('memory:', TINY)
  const table = db.table('t', { ...TYPED, history: 'none' })
  const at = await table.put('k', 'old')
  await table.put('k', 'new')
  for (let i = 0; i < 200; i++) await table.put(`k${i % 20}`, 'x'.repeat(50))
  await db.compact()
  await using snapshot = await db.snapshot({ at: { version: at.version } })
  const old = snapshot.table('t', TYPED)
  for (const read of [
    () => old.get('k'),
    () => old.get('k'),
    () => old.has('k'),
    () => old.getMany(['k']),
  ]) {
    await expect(read()).rejects.toMatchObject({ code: 'FIRN_SNAPSHOT_EXPIRED' })
  }
})

test('many keys are read as of one commit, those too that wait for their turn', async () => {
  const stored = new MemoryObjectStore()
  let beforeGet: () => Promise<unknown> = async () => {}
  const store = overriding<ObjectStore>(stored, {
    get: async (...args: Parameters<ObjectStore['get']>) => {
      const work = beforeGet
      beforeGet = async () => {}
      await work()
      return stored.get(...args)
    },
  })
  const parts = { store, log: () => new MemoryCommitLog() }
  await using db = await open(parts, { compaction: 'inline', cache: { memoryBytes: 0 } })
  const table = db.table('t', TYPED)
  const keys = Array.from({ length: 100 }, (_, i) => `k${i}`)
  const writeAll = (value: string): Promise<unknown> => {
    const batch = db.batch()
    for (const key of keys) batch.put(table, key, value)
    return batch.write()
  }
  for (const options of [undefined, { fresh: true }]) {
    await writeAll('old')
    await db.compact()
    beforeGet = () => writeAll('new')
    expect(new Set(await table.getMany(keys, options))).toEqual(new Set(['old']))
    expect(await table.get('k99')).toBe('new')
  }
})

test('a table that another process makes meanwhile does not get the writes of a new one', async () => {
  const store = new MemoryObjectStore()
  const storage = new MemoryLogStorage()
  const parts = { store, log: () => new MemoryCommitLog({ storage }) }
  await using a = await open(parts, { maxStalenessMs: 0 })
  await using b = await open(parts, { maxStalenessMs: 0 })
  await a.table('first', TYPED).put('k', 'v')
  await b.refresh()
  const pending = [
    a.table('first', TYPED).put('k', 'in flight'),
    a.table('new', TYPED).put('k1', 'for new'),
    b.table('other', TYPED).put('k0', 'for other'),
  ]
  await a.refresh()
  pending.push(a.table('other', TYPED).put('k2', 'for other'))
  await Promise.all(pending)
  await a.refresh()
  expect(await a.table('new', TYPED).scan().toArray()).toEqual([['k1', 'for new']])
  expect(await a.table('other', TYPED).scan().toArray()).toEqual([
    ['k0', 'for other'],
    ['k2', 'for other'],
  ])
})

test('a write that follows a drop makes the table anew', async () => {
  await using db = await open('memory:', TINY)
  const table = db.table('t', TYPED)
  await table.put('old', 'v')
  const dropped = db.dropTable('t')
  const writes = Array.from({ length: 6 }, (_, i) => table.put(`new ${i}`, 'v'))
  const drop = await dropped
  const commits = await Promise.all(writes)
  for (const [i, commit] of commits.entries()) {
    const expected = commit.version > drop.version ? 'v' : undefined
    expect(await table.get(`new ${i}`)).toBe(expected)
  }
  expect(await table.get('old')).toBeUndefined()
})

test('maintenance that loses to another process fails no flush of the user', async () => {
  const place = makePlace('memory')
  const [a, b] = [await place.open(TINY), await place.open(TINY)]
  for (let i = 0; i < 60; i++) {
    await Promise.all([
      a.table('t', TYPED).put(`a${i}`, 'x'.repeat(80)),
      b.table('t', TYPED).put(`b${i}`, 'x'.repeat(80)),
    ])
    await Promise.all([a.flush(), b.flush()])
  }
  await a.refresh()
  expect(await a.table('t', TYPED).count()).toBe(120)
  await a.close()
  await b.close()
})

test('34: writers that wait go on when another process compacts', async () => {
  const place = makePlace('memory')
  const tuning = { ...TINY.tuning, level0Slowdown: 4, level0Stop: 6 }
  const a = await place.open({ ...TINY, compaction: 'off', tuning })
  const b = await place.open({ ...TINY, compaction: 'off' })
  let written = 0
  const writing = (async () => {
    for (; written < 120; written++) await a.table('t', TYPED).put(`k${written}`, 'x'.repeat(80))
  })()
  while ((await a.stats()).writes.stops === 0) await new Promise((resolve) => setImmediate(resolve))
  let done = false
  const ended = writing.then(() => {
    done = true
  })
  while (!done) {
    await b.refresh()
    await b.compact()
    await new Promise((resolve) => setImmediate(resolve))
  }
  await ended
  expect(await a.table('t', TYPED).count()).toBe(120)
  await a.close()
  await b.close()
})

test('a value larger than the log takes inline becomes a file', async () => {
  await using db = await open('memory:', TINY)
  const table = db.table('t', TYPED)
  await table.put('large', 'x'.repeat(5000))
  expect((await db.stats()).levels[0]?.files).toBe(1)
  expect(await table.get('large')).toBe('x'.repeat(5000))
})

test('a scan that is left while it waits lets go of its files', async () => {
  await using db = await open('memory:', TINY)
  const table = db.table('t', TYPED)
  for (let i = 0; i < 100; i++) await table.put(`k${i}`, 'x'.repeat(50))
  const rows = table.scan({ fresh: true })[Symbol.asyncIterator]()
  const first = rows.next()
  await rows.return?.()
  await first
  for (let i = 0; i < 100; i++) await table.put(`k${i}`, 'y'.repeat(50))
  await db.compact()
  expect((await db.stats()).cache.files).toBeLessThanOrEqual(
    (await db.stats()).levels.reduce((n, l) => n + l.files, 0) * 3,
  )
})

test('34: writers that level 0 holds up go on, though merging it down costs more than it is worth', async () => {
  // Files too large to be merged among themselves, and few next to those below.
  const tuning = {
    ...TINY.tuning,
    targetFileBytes: 400,
    levelBaseBytes: 100_000,
    level0Slowdown: 6,
    level0Stop: 8,
    inlineLimitBytes: 64,
  }
  await using db = await open('memory:', { ...TINY, tuning })
  const table = db.table('t', { keys: 'utf8', values: 'utf8' })
  for (let i = 0; i < 600; i++) {
    await table.put(`key ${(i * 7919) % 300}`, 'x'.repeat(30 + (i % 5) * 100))
  }
  expect(await table.count()).toBe(300)
})
