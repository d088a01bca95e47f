import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { MemoryCommitLog, MemoryLogStorage } from '@firn/commit-log'
import { systemEnv } from '@firn/env'
import { MemoryObjectStore } from '@firn/object-store'
import { FaultyObjectStore } from '@firn/object-store/testing'
import { tempDirectory } from '@firn/test-support'
import { describe, expect, test } from 'vitest'
import { type Database, open } from '../../src/index.js'
import { FailingLog } from '../support/failing-log.js'
import { TINY } from '../support/locations.js'

/** Retries without the pauses between them. */
const IMPATIENT = { ...systemEnv, sleep: () => systemEnv.yield() }

const TYPED = { keys: 'utf8', values: 'utf8' } as const

function diskFull(): Error {
  return Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' })
}

async function fill(db: Database, rows: number, from = 0): Promise<void> {
  const table = db.table('t', TYPED)
  for (let i = from; i < from + rows; i++) {
    await table.put(`key ${String(i).padStart(5, '0')}`, `value ${i} ${'x'.repeat(60)}`)
  }
}

describe('31, 32: storage fails', () => {
  test('a commit whose append fails is not acknowledged; reads go on, writes stop, reopening works', async () => {
    const store = new MemoryObjectStore()
    const storage = new MemoryLogStorage()
    const log = new FailingLog(new MemoryCommitLog({ storage }))
    const db = await open({ store, log })
    await fill(db, 10)
    log.failure = diskFull()
    const table = db.table<string, string>('t')
    const failed = table.put('lost', 'x')
    await expect(failed).rejects.toMatchObject({
      code: 'FIRN_WRITE_STOPPED',
      message: expect.stringContaining('ENOSPC'),
    })
    // A later success would claim what came before it, so there is none, even when the disk is
    // back.
    log.failure = undefined
    await expect(table.put('k', 'x')).rejects.toMatchObject({ code: 'FIRN_WRITE_STOPPED' })
    await expect(db.flush()).rejects.toMatchObject({ code: 'FIRN_WRITE_STOPPED' })
    expect(await table.get('lost')).toBeUndefined()
    expect(await table.count()).toBe(10)
    await db.close()
    await using again = await open({ store, log: () => new MemoryCommitLog({ storage }) })
    expect(await again.table<string, string>('t').count()).toBe(10)
    await again.table<string, string>('t').put('k', 'x')
  })

  test('a commit that fails where nothing should fails its writers, and keeps none of them waiting', async () => {
    const env = { ...systemEnv, sleep: () => Promise.reject(new Error('no timer is left')) }
    const tuning = { level0Slowdown: 1, inlineLimitBytes: 100 }
    const db = await open('memory:', { env, compaction: 'off', tuning })
    // A file of level 0: the next commit is to be delayed.
    await db.table('t', TYPED).put('k', 'v'.repeat(1000))
    const stopped = { code: 'FIRN_WRITE_STOPPED', message: expect.stringContaining('no timer') }
    await expect(db.table('t', TYPED).put('k', 'v')).rejects.toMatchObject(stopped)
    await expect(db.batch().put(db.table('t', TYPED), 'k', 'v').write()).rejects.toMatchObject(
      stopped,
    )
    await db.close()
  })

  test('a buffered write is not acknowledged after the log has failed', async () => {
    const log = new FailingLog(new MemoryCommitLog({ exclusive: true }))
    const db = await open({ store: new MemoryObjectStore(), log })
    const table = db.table('t', TYPED)
    await table.put('k', 'x')
    log.failure = diskFull()
    // So large that its writer waits for a turn of the event loop, in which the log fails.
    const large = table.put('large', 'x'.repeat(300_000), { durability: 'buffered' })
    await expect(large).rejects.toMatchObject({ code: 'FIRN_WRITE_STOPPED' })
    await expect(db.close()).rejects.toMatchObject({ code: 'FIRN_WRITE_STOPPED' })
  })

  test('close() says that buffered writes are lost which were in the log, and never synced', async () => {
    const log = new FailingLog(new MemoryCommitLog({ exclusive: true }))
    const db = await open({ store: new MemoryObjectStore(), log })
    const table = db.table('t', TYPED)
    await table.put('k', 'durable')
    // So large that it goes to the log by itself.
    await table.put('k', 'x'.repeat(300_000), { durability: 'buffered' })
    await db.refresh()
    log.failure = diskFull()
    await expect(table.put('lost', 'x')).rejects.toMatchObject({ code: 'FIRN_WRITE_STOPPED' })
    await expect(db.close()).rejects.toMatchObject({ code: 'FIRN_WRITE_STOPPED' })
  })

  test('writes that wait for a flush that fails are told why; they go on when it succeeds', async () => {
    const inner = new MemoryObjectStore()
    let full = false
    const store = new FaultyObjectStore(inner, ({ operation }) =>
      full && (operation === 'upload' || operation === 'put')
        ? { kind: 'error-before' }
        : undefined,
    )
    const storage = new MemoryLogStorage()
    const db = await open(
      { store, log: () => new MemoryCommitLog({ storage, exclusive: true }) },
      { ...TINY, memtableBytes: 4096, env: IMPATIENT },
    )
    await fill(db, 20)
    full = true
    const written = fill(db, 400, 20)
    const stalled = {
      code: 'FIRN_WRITE_STALLED',
      retryable: true,
      cause: { code: 'FIRN_OBJECT_STORE' },
    }
    await expect(written).rejects.toMatchObject(stalled)
    const table = db.table<string, string>('t')
    const rows = await table.count()
    expect(rows).toBeGreaterThanOrEqual(20)
    // Each kind of write, again and again.
    await expect(table.put('lost', 'x')).rejects.toMatchObject(stalled)
    await expect(table.put('lost', 'x'.repeat(5000))).rejects.toMatchObject(stalled)
    await expect(db.batch().put(table, 'lost', 'x').write()).rejects.toMatchObject(stalled)
    await expect(
      db.transaction((tx) => tx.table('t', TYPED).put('lost', 'x')),
    ).rejects.toMatchObject(stalled)
    expect(await table.count()).toBe(rows)
    full = false
    await table.put('k', 'x')
    expect(await table.count()).toBe(rows + 1)
    await db.close()
    await using again = await open({ store: inner, log: () => new MemoryCommitLog({ storage }) })
    expect(await again.table<string, string>('t').count()).toBe(rows + 1)
  })
})

describe('34: nobody compacts', () => {
  test('writes that wait for a compaction that fails are told why; they go on when it succeeds', async () => {
    let broken = false
    const store = new FaultyObjectStore(new MemoryObjectStore(), ({ operation, key }) =>
      broken && operation === 'get' && key.endsWith('.sst') ? { kind: 'error-before' } : undefined,
    )
    const warnings: string[] = []
    await using db = await open(
      { store, log: new MemoryCommitLog({ exclusive: true }) },
      {
        ...TINY,
        env: IMPATIENT,
        logger: { warn: (message) => warnings.push(message) },
        tuning: { ...TINY.tuning, level0Slowdown: 4, level0Stop: 6 },
      },
    )
    broken = true
    const stalled = {
      code: 'FIRN_WRITE_STALLED',
      retryable: true,
      cause: { code: 'FIRN_OBJECT_STORE' },
    }
    const table = db.table('t', TYPED)
    // Files that lie side by side would go down a level without being read.
    const writing = (async () => {
      for (let i = 0; i < 400; i++) await table.put(`k${(i * 7919) % 400}`, 'x'.repeat(80))
    })()
    await expect(writing).rejects.toMatchObject(stalled)
    expect(warnings).toContain('compaction is given up for a while')
    const { writes } = await db.stats()
    expect(writes.stopped).toEqual({ by: 'compaction', waiting: 0 })
    await expect(table.put('lost', 'x')).rejects.toMatchObject(stalled)
    expect(await table.get('lost')).toBeUndefined()
    broken = false
    await table.put('k', 'x')
    expect((await db.stats()).writes.stopped).toBeUndefined()
  })

  test("writes wait where compaction is 'off', say so, and can be given up", async () => {
    const warnings: string[] = []
    const db = await open('memory:', {
      ...TINY,
      compaction: 'off',
      logger: { warn: (message) => warnings.push(message) },
      tuning: { ...TINY.tuning, level0Slowdown: 4, level0Stop: 6 },
    })
    const table = db.table('t', TYPED)
    const giveUp = new AbortController()
    let written = 0
    const writing = (async () => {
      for (;;) {
        await table.put(`k${written}`, 'x'.repeat(80), { signal: giveUp.signal })
        written++
      }
    })()
    const waits = async (): Promise<boolean> => {
      const { stopped } = (await db.stats()).writes
      return stopped?.waiting === 1 && stopped.by === 'compaction'
    }
    while (!(await waits())) await systemEnv.yield()
    expect(warnings).toEqual([expect.stringContaining('db.compact()')])
    giveUp.abort(new Error('enough'))
    await expect(writing).rejects.toThrow('enough')
    expect((await db.stats()).writes.stopped).toEqual({ by: 'compaction', waiting: 0 })
    await db.compact()
    // What was given up while it waited is never written.
    await table.put('last', 'x')
    expect(await table.get(`k${written}`)).toBeUndefined()
    await db.close()
  })

  test('writes slow down, then wait; reads go on; compact() lets them go on', async () => {
    const db = await open('memory:', {
      ...TINY,
      compaction: 'off',
      tuning: { ...TINY.tuning, level0Slowdown: 4, level0Stop: 6 },
    })
    let written = 0
    const writer = (async () => {
      for (; written < 300; written++) await fill(db, 1, written)
    })()
    let blocked = false
    while (!blocked) {
      const before = written
      await new Promise((resolve) => setImmediate(resolve))
      const { writes, levels } = await db.stats()
      expect(levels[0]?.files).toBeLessThanOrEqual(6)
      blocked = writes.stops > 0 && levels[0]?.files === 6 && written === before
    }
    expect(await db.table<string, string>('t').count()).toBeGreaterThan(0)
    expect((await db.stats()).writes.slowdowns).toBeGreaterThan(0)
    let done = false
    const ended = writer.then(() => {
      done = true
    })
    while (!done) {
      await db.compact()
      await new Promise((resolve) => setImmediate(resolve))
    }
    await ended
    expect(await db.table<string, string>('t').count()).toBe(300)
    await db.close()
  })
})

describe('36: a poison block', () => {
  test('other keys stay readable, compaction leaves the file alone and says so', async () => {
    const directory = tempDirectory()
    const location = `file:${directory}`
    const options = { ...TINY, compaction: 'off' as const, memtableBytes: 16_384 }
    {
      await using db = await open(location, {
        ...options,
        tuning: { ...TINY.tuning, targetFileBytes: 65_536 },
      })
      await fill(db, 200)
    }
    const [folder = ''] = readdirSync(join(directory, 'sst'))
    const [name = ''] = readdirSync(join(directory, 'sst', folder)).sort()
    const path = join(directory, 'sst', folder, name)
    const bytes = readFileSync(path)
    bytes[40] = (bytes[40] ?? 0) ^ 0x10
    writeFileSync(path, bytes)

    const warnings: string[] = []
    const db = await open(location, {
      ...TINY,
      logger: { warn: (message) => warnings.push(message) },
    })
    const table = db.table<string, string>('t')
    let damaged = 0
    let readable = 0
    for (let i = 0; i < 200; i++) {
      const value = await table.get(`key ${String(i).padStart(5, '0')}`).catch((error) => {
        expect(error).toMatchObject({
          code: 'FIRN_CORRUPTION',
          message: expect.stringContaining(name.slice(0, -4)),
        })
        damaged++
      })
      if (value !== undefined) {
        expect(value).toBe(`value ${i} ${'x'.repeat(60)}`)
        readable++
      }
    }
    expect(damaged).toBeGreaterThan(0)
    expect(readable).toBeGreaterThan(150)
    await fill(db, 200)
    await db.compact()
    expect(warnings).toContain('compaction leaves a damaged file alone')
    // What is newer than the damage is found before it.
    expect(await table.get('key 00100')).toBeDefined()
    await db.close()
  })
})

describe('history', () => {
  test("19: what history: 'none' let go is refused, not answered wrongly", async () => {
    await using db = await open('memory:', TINY)
    const table = db.table('t', { ...TYPED, history: 'none' })
    const first = await table.put('k', 'old')
    await table.put('k', 'new')
    for (let i = 0; i < 200; i++) await table.put(`k${i % 20}`, 'x'.repeat(50))
    await db.compact()
    await expect(table.get('k', { at: { version: first.version } })).rejects.toMatchObject({
      code: 'FIRN_SNAPSHOT_EXPIRED',
    })
    expect(await table.get('k')).toBe('new')
  })

  test('19: a snapshot keeps what it saw through compactions that let it go', async () => {
    await using db = await open('memory:', TINY)
    const table = db.table('t', { ...TYPED, history: 'none' })
    await table.put('k', 'old')
    await using snapshot = await db.snapshot()
    for (let i = 0; i < 200; i++) await table.put(i % 2 ? 'k' : `k${i % 20}`, `new ${i}`)
    await db.compact()
    const before = snapshot.table<string, string>('t')
    expect(await before.scan().toArray()).toEqual([['k', 'old']])
    expect(await before.get('k')).toBe('old')
    expect(await table.get('k')).toBe('new 199')
  })

  test('versions to come and times to come', async () => {
    await using db = await open('memory:')
    const table = db.table('t', TYPED)
    const { version } = await table.put('k', 'v')
    await expect(table.get('k', { at: { version: version + 1 } })).rejects.toMatchObject({
      code: 'FIRN_VERSION_NOT_FOUND',
    })
    expect(await table.get('k', { at: new Date('2200-01-01') })).toBe('v')
    expect(await table.get('k', { at: new Date('2000-01-01') })).toBeUndefined()
    expect(await table.get('k', { at: { version: 0 } })).toBeUndefined()
  })
})

test('a sustained load keeps level 0 and space bounded', async () => {
  await using db = await open('memory:', TINY)
  const table = db.table('t', { ...TYPED, history: 'none' })
  let deepest = 0
  for (let round = 0; round < 40; round++) {
    const batch = db.batch()
    for (let i = 0; i < 8; i++) batch.put(table, `key ${(round * 13 + i * 7) % 97}`, 'x'.repeat(60))
    await batch.write()
    deepest = Math.max(deepest, (await db.stats()).levels[0]?.files ?? 0)
  }
  expect(deepest).toBeLessThanOrEqual(36)
  await db.compact()
  const { levels } = await db.stats()
  const records = levels.reduce((sum, level) => sum + level.records, 0)
  // 97 keys at most are live; each level may hold one superseded version of each.
  expect(records).toBeLessThanOrEqual(97 * levels.length)
})
