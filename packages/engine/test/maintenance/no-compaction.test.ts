import { MemoryCommitLog } from '@firn/commit-log'
import { systemEnv } from '@firn/env'
import { MemoryObjectStore } from '@firn/object-store'
import { FaultyObjectStore } from '@firn/object-store/testing'
import { describe, expect, test } from 'vitest'
import { type Database, open } from '../../src/index.js'
import { makePlace, TINY } from '../support/locations.js'

/** Retries without the pauses between them. */
const IMPATIENT = { ...systemEnv, sleep: () => systemEnv.yield() }

const TYPED = { keys: 'utf8', values: 'utf8' } as const

async function fill(db: Database, rows: number, from = 0): Promise<void> {
  const table = db.table('t', TYPED)
  for (let i = from; i < from + rows; i++) {
    await table.put(`key ${String(i).padStart(5, '0')}`, `value ${i} ${'x'.repeat(60)}`)
  }
}

describe('34: if no process compacts', () => {
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

  test('34: writers that wait go on when another process compacts', async () => {
    const place = makePlace('memory')
    const tuning = { ...TINY.tuning, level0Slowdown: 4, level0Stop: 6 }
    const a = await place.open({ ...TINY, compaction: 'off', tuning })
    const b = await place.open({ ...TINY, compaction: 'off' })
    let written = 0
    const writing = (async () => {
      for (; written < 120; written++) await a.table('t', TYPED).put(`k${written}`, 'x'.repeat(80))
    })()
    while ((await a.stats()).writes.stops === 0)
      await new Promise((resolve) => setImmediate(resolve))
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
