import { MemoryCommitLog, MemoryLeases, MemoryLogStorage } from '@firn/commit-log'
import { TestEnv } from '@firn/env/testing'
import { MemoryObjectStore, type ObjectStore } from '@firn/object-store'
import { describe, expect, test } from 'vitest'
import { type Database, type OpenOptions, open } from '../../src/index.js'
import { makePlace, TINY } from '../support/locations.js'
import { overriding } from '../support/overriding.js'

const TEXT = { keys: 'utf8', values: 'utf8', history: 'none' } as const
const SECOND_MS = 1000
const MINUTE_MS = 60 * SECOND_MS
const LEASE_MS = 30 * SECOND_MS

/** Refuses calls, or damages replies, as a test says while it runs. */
interface Outage {
  refuses: (operation: string, key: string) => boolean
  damages: (key: string) => boolean
}

interface World {
  env: TestEnv
  base: MemoryObjectStore
  leases: MemoryLeases
  outage: Outage
  /** What the database warned of, in words. */
  warnings: string[]
  open: (options?: OpenOptions) => Promise<Database>
}

/** A database in memory, of which calls fail when a test says so. */
function makeWorld(log: 'shared' | 'exclusive'): World {
  const env = new TestEnv()
  const base = new MemoryObjectStore()
  const leases = new MemoryLeases({ env })
  const outage: Outage = { refuses: () => false, damages: () => false }
  const assertUp = (operation: string, key: string): void => {
    if (outage.refuses(operation, key)) throw new Error(`${operation} ${key}: 503`)
  }
  const store = overriding<ObjectStore>(base, {
    get: async (key, options) => {
      assertUp('get', key)
      const object = await base.get(key, options)
      if (!outage.damages(key)) return object
      return { ...object, bytes: object.bytes.map((byte) => byte ^ 1) }
    },
    put: async (key, ...rest) => {
      assertUp('put', key)
      return base.put(key, ...rest)
    },
    upload: async (key, ...rest) => {
      assertUp('upload', key)
      return base.upload(key, ...rest)
    },
    delete: async (keys, ...rest) => {
      for (const key of [keys].flat()) assertUp('delete', key)
      return base.delete(keys, ...rest)
    },
    list: (options = {}) => {
      assertUp('list', options.prefix ?? '')
      return base.list(options)
    },
  })
  const storage = new MemoryLogStorage()
  const warnings: string[] = []
  return {
    env,
    base,
    leases,
    outage,
    warnings,
    open: ({ tuning, ...options } = {}) =>
      open({
        store,
        log: () => new MemoryCommitLog({ storage, exclusive: log === 'exclusive' }),
        leases,
        env,
        compaction: 'inline',
        memtableBytes: 4096,
        maxStalenessMs: 1e9,
        logger: { warn: (message) => warnings.push(message) },
        // Batches are files from the start, whoever flushes.
        tuning: { inlineLimitBytes: 500, ...tuning },
        ...options,
      }),
  }
}

/** Lets time pass in which no client calls anything. */
async function pass(env: TestEnv, ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += 100) {
    env.advance(100)
    for (let i = 0; i < 20; i++) await env.yield()
  }
}

/** Writes more than a memtable holds. */
async function fillMemtable(db: Database): Promise<void> {
  const table = db.table('t', TEXT)
  for (let i = 0; i < 40; i++) await table.put(`k${i}`, 'x'.repeat(100))
}

/** Writes batches, each of which is a file of level 0 that overlaps the others. */
async function addFiles(db: Database, count: number): Promise<void> {
  const table = db.table('t', TEXT)
  for (let file = 0; file < count; file++) {
    const batch = db.batch()
    for (let i = 0; i < 20; i++) batch.put(table, `k${i}`, `file ${file}`.padEnd(50))
    await batch.write()
  }
}

async function level0(db: Database): Promise<number> {
  return (await db.stats()).levels[0]?.files ?? 0
}

async function flushes(db: Database): Promise<number> {
  return (await db.stats()).flushes.count
}

async function keysOf(store: ObjectStore, prefix: string): Promise<string[]> {
  const keys: string[] = []
  for await (const { key } of store.list({ prefix })) keys.push(key)
  return keys
}

const isFile = (key: string): boolean => key.startsWith('sst/')
const isCheckpoint = (key: string): boolean => key.startsWith('checkpoints/')

describe('work left to the process with the lease is done after it, without further calls', () => {
  test.each(['lets go', 'is dead'])('a flush, where that one %s', async (end) => {
    const { env, leases, open } = makeWorld('shared')
    await using db = await open()
    const lease = await leases.acquire('maintenance', { durationMs: LEASE_MS })
    await fillMemtable(db)
    await pass(env, SECOND_MS)
    expect(await flushes(db)).toBe(0)
    if (end === 'lets go') await lease?.release()
    await pass(env, MINUTE_MS)
    expect(await flushes(db)).toBeGreaterThan(0)
  })

  test('a compaction', async () => {
    const { env, leases, open } = makeWorld('shared')
    await using db = await open()
    const lease = await leases.acquire('maintenance', { durationMs: LEASE_MS })
    await addFiles(db, 5)
    await pass(env, SECOND_MS)
    expect(await level0(db)).toBe(5)
    await lease?.release()
    await pass(env, MINUTE_MS)
    expect(await level0(db)).toBe(0)
  })

  test('nothing, where that one has done it', async () => {
    const { env, leases, open } = makeWorld('shared')
    await using db = await open()
    await using other = await open({ compaction: 'off' })
    const lease = await leases.acquire('maintenance', { durationMs: LEASE_MS })
    await fillMemtable(db)
    await other.refresh()
    await other.compact()
    const { version } = await other.stats()
    await lease?.release()
    await pass(env, 10 * MINUTE_MS)
    expect(await flushes(db)).toBe(0)
    await other.refresh()
    expect([db.version, other.version]).toEqual([version, version])
  })
})

describe('work given up during an outage is done after it, without further calls', () => {
  test('a flush', async () => {
    const { env, outage, open } = makeWorld('shared')
    await using db = await open()
    outage.refuses = (operation, key) => operation === 'upload' && isFile(key)
    await fillMemtable(db)
    await pass(env, 10 * MINUTE_MS)
    expect(await flushes(db)).toBe(0)
    outage.refuses = () => false
    await pass(env, 60 * MINUTE_MS)
    expect(await flushes(db)).toBeGreaterThan(0)
  })

  test.each(['shared', 'exclusive'] as const)('a compaction (log: %s)', async (log) => {
    const { env, outage, open } = makeWorld(log)
    await using db = await open()
    outage.refuses = (operation, key) => operation === 'get' && isFile(key)
    await addFiles(db, 5)
    await pass(env, 10 * MINUTE_MS)
    expect(await level0(db)).toBe(5)
    outage.refuses = () => false
    await pass(env, 60 * MINUTE_MS)
    expect(await level0(db)).toBe(0)
  })

  test.each(['shared', 'exclusive'] as const)('a checkpoint (log: %s)', async (log) => {
    const { env, base, outage, open } = makeWorld(log)
    await using db = await open()
    outage.refuses = (_, key) => isCheckpoint(key)
    await fillMemtable(db)
    await pass(env, 10 * MINUTE_MS)
    expect(await keysOf(base, 'checkpoints/')).toEqual([])
    outage.refuses = () => false
    await pass(env, 60 * MINUTE_MS)
    expect(await keysOf(base, 'checkpoints/')).toHaveLength(1)
  })

  test('the search for files that a crash left behind', async () => {
    const { env, base, outage, open } = makeWorld('exclusive')
    const first = await open()
    await addFiles(first, 3)
    await first.close()
    const [file = ''] = await keysOf(base, 'sst/')
    // As of a process that wrote it and ended before its entry.
    const orphan = file.replace(/\/\d+-[^/]+$/, '/1-01KGE3HRTAQ0YFYASXCD0P61VB.sst')
    await base.put(orphan, new Uint8Array(10))
    await using db = await open()
    outage.refuses = (operation) => operation === 'list'
    await fillMemtable(db)
    await pass(env, MINUTE_MS)
    expect(await keysOf(base, 'sst/')).toContain(orphan)
    outage.refuses = () => false
    await pass(env, 60 * MINUTE_MS)
    expect(await keysOf(base, 'sst/')).not.toContain(orphan)
  })
})

test('files that were merged and could not be deleted are deleted with the next ones', async () => {
  const { env, base, outage, open } = makeWorld('exclusive')
  await using db = await open()
  const live = async (): Promise<number> =>
    (await db.stats()).levels.reduce((sum, level) => sum + level.files, 0)
  outage.refuses = (operation, key) => operation === 'delete' && isFile(key)
  await addFiles(db, 6)
  await pass(env, SECOND_MS)
  await db.compact()
  expect((await keysOf(base, 'sst/')).length).toBeGreaterThan((await live()) + 5)
  outage.refuses = () => false
  await addFiles(db, 2)
  await db.compact()
  await pass(env, SECOND_MS)
  expect(await keysOf(base, 'sst/')).toHaveLength(await live())
})

test('36: a file whose replies were damaged is merged a minute later, without further calls', async () => {
  const { env, outage, warnings, open } = makeWorld('shared')
  await using db = await open()
  outage.damages = isFile
  await addFiles(db, 5)
  await pass(env, SECOND_MS)
  expect(warnings).toContain('compaction leaves a damaged file alone')
  outage.damages = () => false
  await pass(env, 2 * MINUTE_MS)
  expect(await level0(db)).toBeLessThan(4)
})

test('36: a file that is damaged for good is read again and again, but ever more rarely', async () => {
  const { env, outage, warnings, open } = makeWorld('exclusive')
  await using db = await open()
  await addFiles(db, 1)
  await db.compact()
  outage.damages = isFile
  await addFiles(db, 4)
  const attemptsByHour: number[] = []
  for (let hour = 0; hour < 6; hour++) {
    warnings.length = 0
    for (let minute = 0; minute < 60; minute++) {
      env.advance(MINUTE_MS)
      await pass(env, 100)
    }
    attemptsByHour.push(warnings.length)
  }
  // Several files are damaged: five of level 0 and level 1.
  for (const attempts of attemptsByHour.slice(1)) {
    expect(attempts).toBeGreaterThanOrEqual(3)
    expect(attempts).toBeLessThanOrEqual(5 * 5)
    expect(attempts).toBeLessThanOrEqual(attemptsByHour[0] ?? 0)
  }
  outage.damages = () => false
  await pass(env, 20 * MINUTE_MS)
  expect(await level0(db)).toBe(0)
})

test('deletes that have become old go, though no file has come or gone since', async () => {
  const { env, open } = makeWorld('exclusive')
  await using db = await open()
  const table = db.table('brief', { ...TEXT, history: { durationMs: MINUTE_MS } })
  for (let i = 0; i < 10; i++) await table.put(`k${i}`, 'v')
  for (let i = 0; i < 10; i++) await table.delete(`k${i}`)
  await db.compact()
  const records = async (): Promise<number> =>
    (await db.stats()).levels.reduce((sum, level) => sum + level.records, 0)
  expect(await records()).toBe(20)
  await table.put('a', 'v')
  await pass(env, 2 * MINUTE_MS)
  await table.put('b', 'v')
  await pass(env, SECOND_MS)
  expect(await records()).toBe(0)
})

test('a trigger that is higher than the limit at which writes wait stops no writer for good', async () => {
  const { env, open } = makeWorld('shared')
  await using db = await open({ tuning: { level0Trigger: 100, level0Slowdown: 2, level0Stop: 3 } })
  let isDone = false
  const written = addFiles(db, 6).then(() => {
    isDone = true
  })
  for (let i = 0; i < 60 && !isDone; i++) await pass(env, SECOND_MS)
  expect(isDone).toBe(true)
  await written
})

test('maintenance that loses to another process fails no flush of the user', async () => {
  const place = makePlace('memory')
  const [a, b] = [await place.open(TINY), await place.open(TINY)]
  for (let i = 0; i < 60; i++) {
    await Promise.all([
      a.table('t', TEXT).put(`a${i}`, 'x'.repeat(80)),
      b.table('t', TEXT).put(`b${i}`, 'x'.repeat(80)),
    ])
    await Promise.all([a.flush(), b.flush()])
  }
  await a.refresh()
  expect(await a.table('t', TEXT).count()).toBe(120)
  await a.close()
  await b.close()
})
