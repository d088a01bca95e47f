import {
  type CommitLog,
  type Leases,
  MemoryCommitLog,
  MemoryLeases,
  MemoryLogStorage,
  ObjectCommitLog,
} from '@firn/commit-log'
import { FaultyCommitLog } from '@firn/commit-log/testing'
import { systemEnv } from '@firn/env'
import { TestEnv } from '@firn/env/testing'
import { MemoryObjectStore, type ObjectStore } from '@firn/object-store'
import { FaultyObjectStore } from '@firn/object-store/testing'
import { expect, test } from 'vitest'
import { type Database, type OpenOptions, open } from '../../src/index.js'
import { MaintenanceLease } from '../../src/internal/maintenance/maintenance-lease.js'
import { event } from '../support/event.js'
import { FailingLog } from '../support/failing-log.js'
import { hooked } from '../support/hooked-store.js'
import { TINY } from '../support/locations.js'

const TEXT = { keys: 'utf8', values: 'utf8', history: 'none' } as const
/** Nothing happens by itself, and what is larger than a few records goes into a file at once. */
const QUIET: OpenOptions = {
  compaction: 'off',
  maxStalenessMs: 1e9,
  tuning: { inlineLimitBytes: 1000 },
}
const ROWS = 50

async function filesIn(store: ObjectStore): Promise<string[]> {
  const keys: string[] = []
  for await (const { key } of store.list()) if (key.endsWith('.sst')) keys.push(key)
  return keys
}

/** Writes rows as one commit, which is a file. */
function writeFile(db: Database, value: string): Promise<{ version: number }> {
  const batch = db.batch()
  for (let i = 0; i < ROWS; i++) batch.put(db.table('t', TEXT), `row ${i}`, value.repeat(50))
  return batch.write()
}

/** What becomes of some work while time passes. */
async function withTime(env: TestEnv, work: Promise<unknown>): Promise<unknown> {
  let over = false
  const end = work
    .catch((error: unknown) => error)
    .finally(() => {
      over = true
    })
  while (!over) {
    env.advance(100)
    await new Promise((resolve) => setImmediate(resolve))
  }
  return end
}

test('4: files of a commit that may still take effect are kept, and it may', async () => {
  const env = new TestEnv()
  const store = new MemoryObjectStore()
  let unclear = false
  const log = new FaultyCommitLog(new MemoryCommitLog(), {
    append: () => (unclear ? 'late' : undefined),
  })
  await using db = await open({ store, log }, { ...QUIET, env })
  const table = db.table('t', TEXT)
  const { version } = await table.put('first', 'v')
  unclear = true
  const error = await withTime(env, writeFile(db, 'x'))
  expect(error).toMatchObject({
    code: 'FIRN_COMMIT_UNKNOWN',
    version: version + 1,
    token: expect.stringMatching(/^[0-9A-Z]{26}$/),
  })
  expect(await filesIn(store)).toHaveLength(1)
  expect(await table.count()).toBe(1)
  unclear = false
  await log.deliverLate()
  await db.refresh()
  expect(await table.count()).toBe(1 + ROWS)
})

test('10: who has a database open that was deleted and made again can’t touch the new one', async () => {
  const store = new MemoryObjectStore()
  const log = (incarnation: string): CommitLog => new ObjectCommitLog(store, incarnation)
  const impatient = { ...systemEnv, sleep: () => systemEnv.yield() }
  const old = await open({ store, log }, { ...QUIET, env: impatient })
  await writeFile(old, 'old')
  const keys: string[] = []
  for await (const { key } of store.list()) keys.push(key)
  await store.delete(keys)

  await using db = await open({ store, log }, QUIET)
  await writeFile(db, 'new')
  await writeFile(old, 'late')
  await old.compact().catch(() => {})
  await old.close()
  await db.refresh()
  for (const each of [db, await open({ store, log }, QUIET)]) {
    const values = await each.table('t', TEXT).values().toArray()
    expect(new Set(values)).toEqual(new Set(['new'.repeat(50)]))
    if (each !== db) await each.close()
  }
})

test('13: a writer whom others always forestall is told so, after a bounded number of attempts', async () => {
  const storage = new MemoryLogStorage()
  const inner = new MemoryCommitLog({ storage })
  let [forestalled, attempts] = [false, 0]
  const log: CommitLog = {
    exclusive: false,
    inlineLimitBytes: inner.inlineLimitBytes,
    readAfter: (version, options) => inner.readAfter(version, options),
    truncate: (through) => inner.truncate(through),
    close: () => inner.close(),
    append: async (entry, options) => {
      attempts++
      const other = { ...entry, token: '0'.repeat(26), payload: new Uint8Array(0) }
      // Some day the others have done enough.
      if (forestalled && attempts <= 300) await inner.append(other)
      return inner.append(entry, options)
    },
  }
  await using db = await open({ store: new MemoryObjectStore(), log }, QUIET)
  const table = db.table('t', TEXT)
  await table.put('first', 'v')
  forestalled = true
  attempts = 0
  // Writes that wait together are one group, and so take one turn.
  const ends = await Promise.allSettled(['a', 'b', 'c'].map((key) => table.put(key, 'v')))
  for (const end of ends) {
    expect(end).toMatchObject({ reason: { code: 'FIRN_COMMIT_CONFLICT', retryable: true } })
  }
  expect(attempts).toBe(100)
  forestalled = false
  await table.put('last', 'v')
  expect(await table.keys().toArray()).toEqual(['first', 'last'])
})

test('16: files of a commit that a crash prevented are gone after two more openings', async () => {
  const store = new MemoryObjectStore()
  const storage = new MemoryLogStorage()
  const own = (): CommitLog => new MemoryCommitLog({ storage, exclusive: true })
  const log = new FailingLog(own())
  const crashed = await open({ store, log }, QUIET)
  await writeFile(crashed, 'a')
  const live = await filesIn(store)
  log.failure = new Error('the process ends here')
  await expect(writeFile(crashed, 'b')).rejects.toMatchObject({ code: 'FIRN_WRITE_STOPPED' })
  const [orphan] = (await filesIn(store)).filter((key) => !live.includes(key))
  expect(orphan).toBeDefined()
  await crashed.close().catch(() => {})
  for (const value of ['c', 'd']) {
    await using db = await open({ store, log: own }, QUIET)
    await db.table('t', TEXT).put('more', value)
    await db.compact()
    expect((await db.table('t', TEXT).get('row 7'))?.[0]).toBe('a')
  }
  const left = await filesIn(store)
  expect(left).not.toContain(orphan)
  await using db = await open({ store, log: own }, QUIET)
  const { levels } = await db.stats()
  expect(left).toHaveLength(levels.reduce((sum, { files }) => sum + files, 0))
})

test('21, 22: a compaction during which another one took its inputs fails, and leaves nothing behind', async () => {
  const storage = new MemoryLogStorage()
  const base = new MemoryObjectStore()
  const { store, before } = hooked(base)
  const log = (): CommitLog => new MemoryCommitLog({ storage })
  await using a = await open({ store, log }, QUIET)
  await using b = await open({ store: base, log }, QUIET)
  for (const value of ['1', '2', '3', '4']) await writeFile(a, value)
  await b.refresh()
  let others: string[] = []
  // A has read its inputs and is paused: for as long as it takes, whatever lease it has.
  before(async () => {
    await b.compact()
    others = await filesIn(base)
  })
  await a.compact()
  expect((await b.stats()).compactions.count).toBe(1)
  expect((await a.stats()).compactions.count).toBe(0)
  expect(others).not.toEqual([])
  expect(await filesIn(base)).toEqual(others)
  await using c = await open({ store: base, log }, QUIET)
  for (const db of [a, b, c]) {
    const values = await db.table('t', TEXT).values({ fresh: true }).toArray()
    expect(values).toEqual(Array(ROWS).fill('4'.repeat(50)))
  }
})

test('8, 25: a reader slower than truncation starts over from a checkpoint, and misses nothing', async () => {
  const store = new MemoryObjectStore()
  const storage = new MemoryLogStorage()
  const writer = await open(
    { store, log: () => new MemoryCommitLog({ storage, exclusive: true }) },
    TINY,
  )
  const table = writer.table('t', TEXT)
  await table.put('key 0', 'v')
  await using reader = await open(
    { store, log: () => new MemoryCommitLog({ storage }) },
    { mode: 'read', maxStalenessMs: 1e9 },
  )
  expect(await reader.table('t', TEXT).count()).toBe(1)
  for (let i = 1; i < 300; i++) await table.put(`key ${i}`, 'v'.repeat(50))
  await writer.close()
  const log = new MemoryCommitLog({ storage })
  for await (const { payload } of log.readAfter(reader.version, { limit: 1 })) {
    expect(payload).toBeUndefined()
  }
  await reader.refresh()
  expect(reader.version).toBeGreaterThan(300)
  expect(await reader.table('t', TEXT).count()).toBe(300)
})

test('8: a transaction conflicts where entries after its snapshot were truncated before it saw them', async () => {
  const store = new MemoryObjectStore()
  const storage = new MemoryLogStorage()
  const others = await open(
    { store, log: () => new MemoryCommitLog({ storage, exclusive: true }) },
    TINY,
  )
  await others.table('t', TEXT).put('read', 'v')
  await using db = await open(
    { store, log: () => new MemoryCommitLog({ storage }) },
    { ...TINY, compaction: 'off', maxStalenessMs: 1e9 },
  )
  let attempts = 0
  const copy = (options: { attempts: number }) =>
    db.transaction(async (tx) => {
      const t = tx.table('t', TEXT)
      const value = (await t.get('read')) ?? ''
      if (attempts++ === 0) {
        for (let i = 0; i < 300; i++)
          await others.table('t', TEXT).put(`other ${i}`, 'v'.repeat(50))
        await others.close()
      }
      await t.put('copied', value)
    }, options)
  // Nobody wrote what it had read; but nobody can tell from the log.
  await expect(copy({ attempts: 1 })).rejects.toMatchObject({ code: 'FIRN_TRANSACTION_CONFLICT' })
  await copy({ attempts: 1 })
  expect(await db.table('t', TEXT).get('copied')).toBe('v')
  expect(await db.table('t', TEXT).count()).toBe(302)
})

test('41: the lease for maintenance that is given while its work ends is let go of', async () => {
  const env = new TestEnv()
  const store = new MemoryLeases({ env })
  const given = event()
  const leases: Leases = {
    // The request is with the service. Who breaks it off doesn't learn what became of it.
    acquire: async (name, options) => {
      const lease = await store.acquire(name, { ...options, signal: undefined })
      await given.happened
      options.signal?.throwIfAborted()
      return lease
    },
  }
  const lease = new MaintenanceLease({
    env,
    leases,
    logger: undefined,
    isUrgent: () => false,
    onRefused: () => {},
  })
  const work = new AbortController()
  const held = lease.hold(work.signal, false)
  work.abort(new Error('the database is closing'))
  given.happen()
  await expect(held).rejects.toThrow('the database is closing')
  expect(await store.acquire('maintenance', { durationMs: 1000 })).toBeDefined()
})

test('41: the maintenance lease is given up in bounded time if the service doesn’t answer', async () => {
  const env = new TestEnv()
  const asked: AbortSignal[] = []
  const leases: Leases = {
    acquire: async (name) => ({
      name,
      epoch: 1,
      remainingMs: () => 1,
      renew: async () => {},
      release: ({ signal } = {}) =>
        new Promise((_, reject) => {
          if (signal !== undefined) asked.push(signal)
          signal?.addEventListener('abort', () => reject(signal.reason))
        }),
    }),
  }
  const lease = new MaintenanceLease({
    env,
    leases,
    logger: undefined,
    isUrgent: () => false,
    onRefused: () => {},
  })
  const letGo = await lease.hold(new AbortController().signal, false)
  let done = false
  const ended = letGo?.().then(() => {
    done = true
  })
  await new Promise((resolve) => setImmediate(resolve))
  expect(asked).toHaveLength(1)
  env.advance(4999)
  await new Promise((resolve) => setImmediate(resolve))
  expect(done).toBe(false)
  env.advance(1)
  await ended
  expect(env.sleeping).toBe(0)
})

test('36: a file whose replies were damaged is merged later', async () => {
  const env = new TestEnv()
  const store = new FaultyObjectStore(new MemoryObjectStore())
  const warnings: string[] = []
  const logger = { warn: (message: string) => warnings.push(message) }
  await using db = await open(
    { store, log: () => new MemoryCommitLog() },
    { env, compaction: 'inline', memtableBytes: 2048, logger },
  )
  const table = db.table('t', TEXT)
  const level0 = async (): Promise<number | undefined> => (await db.stats()).levels[0]?.files
  for (let i = 0; (await level0()) !== 2; i++) {
    await table.put(`row ${i % 30}`, 'x'.repeat(100))
    await env.yield()
  }
  // Asked for once more, it is damaged again.
  let damaged: string | undefined
  store.setSchedule(({ operation, key }) => {
    if (operation !== 'get' || !key.endsWith('.sst')) return undefined
    damaged ??= key
    return key === damaged ? { kind: 'bit-flip' } : undefined
  })
  await db.compact()
  store.setSchedule(() => undefined)
  expect(warnings).toEqual(['compaction leaves a damaged file alone'])
  expect(await level0()).toBeGreaterThan(0)
  env.advance(59_000)
  await db.compact()
  expect(await level0()).toBeGreaterThan(0)
  env.advance(2_000)
  await db.compact()
  expect(await level0()).toBe(0)
})

test('41: close() says nothing of a commit that was given up, as its writer was told', async () => {
  const env = new TestEnv()
  const inner = new MemoryCommitLog({ storage: new MemoryLogStorage(), exclusive: false })
  let isSilent = false
  const log: CommitLog = {
    exclusive: false,
    inlineLimitBytes: inner.inlineLimitBytes,
    truncate: (through, options) => inner.truncate(through, options),
    close: () => inner.close(),
    append: async (entry, options) => {
      if (!isSilent) return inner.append(entry, options)
      // Somebody else was first; what they wrote can't be read any more.
      return { appended: false, winner: { ...entry, token: 'another’s', payload: undefined } }
    },
    async *readAfter(version, options = {}) {
      if (isSilent) {
        const { signal } = options
        await new Promise((_, reject) => {
          signal?.addEventListener('abort', () => reject(signal.reason), { once: true })
        })
      }
      yield* inner.readAfter(version, options)
    },
  }
  const db = await open({ store: new MemoryObjectStore(), log }, { ...QUIET, env })
  await db.table('t', TEXT).put('first', 'v')
  isSilent = true
  const failure = db
    .table('t', TEXT)
    .put('second', 'v')
    .catch((error: unknown) => error)
  for (let i = 0; i < 20; i++) await env.yield()
  let isClosed = false
  const closed = db.close().finally(() => {
    isClosed = true
  })
  for (let i = 0; i < 200 && !isClosed; i++) {
    env.advance(1000)
    await env.yield()
  }
  await closed
  expect(await failure).toMatchObject({ code: 'FIRN_CLOSED' })
})
