import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { systemEnv } from '@firn/env'
import { tempDirectory } from '@firn/test-support'
import { describe, expect, test } from 'vitest'
import { type Database, open } from '../../src/index.js'

const TYPED = { keys: 'utf8', values: 'utf8' } as const
const key = (i: number): string => `key ${String(i).padStart(5, '0')}`

/** Puts that end up in many small files of level 0. */
async function scatter(db: Database, rows: number): Promise<void> {
  const table = db.table('t', TYPED)
  for (let from = 0; from < rows; from += 25) {
    const group = Array.from({ length: 25 }, (_, i) => key(((from + i) * 7919) % rows))
    await Promise.all(group.map((k) => table.put(k, 'x'.repeat(100))))
  }
}

describe('a report of what was compacted', () => {
  for (const compaction of ['inline', 'worker'] as const) {
    test(`counts the files of a load that were merged, also where the background began: ${compaction}`, async () => {
      const directory = tempDirectory()
      const location = `file:${directory}`
      // As many files as make writers wait, so that compaction begins when the database is opened.
      const tuning = { level0Slowdown: 1000, level0Stop: 1000 }
      const load = await open(location, { compaction: 'off', memtableBytes: 4096, tuning })
      await scatter(load, 1200)
      await load.close()
      const db = await open(location, { compaction: 'off' })
      const before = (await db.stats()).levels[0]?.files ?? 0
      expect(before).toBeGreaterThan(20)
      await db.close()
      await using again = await open(location, { compaction })
      const report = await again.compact()
      expect(report.compactions).toBeGreaterThan(0)
      expect(report.filesIn).toBeGreaterThanOrEqual(before)
      expect(report.filesOut).toBeGreaterThan(0)
      expect(report.bytesRead).toBeGreaterThan(0)
      expect(report.skipped).toEqual([])
      const { compactions } = await again.stats()
      expect(compactions.count).toBeGreaterThanOrEqual(report.compactions)
      expect(compactions.filesIn).toBeGreaterThanOrEqual(report.filesIn)
      expect((await again.compact()).compactions).toBe(0)
    })
  }

  test('names a damaged file that was left alone, with its table and what is wrong', async () => {
    const directory = tempDirectory()
    const location = `file:${directory}`
    const load = await open(location, { compaction: 'off', memtableBytes: 16_384 })
    await scatter(load, 1000)
    await load.close()
    const [folder = ''] = readdirSync(join(directory, 'sst'))
    const [first = ''] = readdirSync(join(directory, 'sst', folder)).sort()
    const path = join(directory, 'sst', folder, first)
    const bytes = readFileSync(path)
    bytes[200] = (bytes[200] ?? 0) ^ 1
    writeFileSync(path, bytes)
    let later = 0
    const env = { ...systemEnv, monotonic: () => systemEnv.monotonic() + later }
    await using db = await open(location, { compaction: 'inline', env })
    const file = first.replace(/\.sst$/, '')
    const skipped = [{ file, level: 0, tables: ['t'], reason: expect.stringContaining(file) }]
    // Whoever asks again is told again.
    expect((await db.compact()).skipped).toEqual(skipped)
    expect((await db.compact()).skipped).toEqual(skipped)
    expect((await db.stats()).compactions.skipped).toEqual(skipped)
    bytes[200] = (bytes[200] ?? 0) ^ 1
    writeFileSync(path, bytes)
    later += 60_000
    expect((await db.compact()).skipped).toEqual([])
    expect(await db.table('t', TYPED).count()).toBe(1000)
  })

  test('tells merges of the files of one batch from compactions', async () => {
    await using db = await open('memory:', { compaction: 'off', memtableBytes: 20_000 })
    const batch = db.batch()
    const table = db.table('t', TYPED)
    // Each run overlaps all others.
    for (let i = 0; i < 50_000; i++) {
      batch.put(table, key((i * 7919) % 50_000), 'x'.repeat(40))
      if (i % 100 === 0) await batch.drain()
    }
    await batch.write()
    const { commitMerges, compactions } = await db.stats()
    expect(commitMerges.count).toBe(1)
    expect(commitMerges.filesIn).toBeGreaterThan(1)
    expect(commitMerges.filesOut).toBeGreaterThan(0)
    expect(commitMerges.bytesWritten).toBeGreaterThan(0)
    expect(compactions.count).toBe(0)
  })
})

describe('the size of a table', () => {
  test('is not 0 after a load: what is in memory and in level 0 counts', async () => {
    await using db = await open('memory:', { compaction: 'off' })
    const table = db.table('t', TYPED)
    for (let i = 0; i < 100; i++) await table.put(key(i), 'x')
    await table.delete(key(1))
    const one = async () => (await db.tables())[0]
    expect(await one()).toMatchObject({ files: 0, records: 101, exact: true })
    expect((await one())?.memtables).toMatchObject({ records: 101, bytes: expect.any(Number) })
    await db.compact()
    await table.put('more', 'x')
    expect(await one()).toMatchObject({ files: 1, records: 102, exact: true })
    expect((await one())?.bytes).toBeGreaterThan(0)
    expect((await one())?.memtables.records).toBe(1)
    expect((await db.stats()).tables).toEqual(await db.tables())
  })

  test('is an upper bound, and says so, while files of level 0 hold several tables', async () => {
    const directory = tempDirectory()
    const location = `file:${directory}`
    const load = await open(location, { compaction: 'off', memtableBytes: 20_000 })
    for (let from = 0; from < 300; from += 25) {
      const group = Array.from({ length: 25 }, (_, i) => key(from + i))
      const tables = ['a', 'b'].map((name) => load.table(name, TYPED))
      await Promise.all(group.flatMap((k) => tables.map((table) => table.put(k, 'x'.repeat(100)))))
    }
    const bounds = await load.tables()
    for (const { exact, records, files } of bounds) {
      expect(exact).toBe(false)
      expect(files).toBeGreaterThan(0)
      expect(records).toBeGreaterThan(300)
      expect(records).toBeLessThanOrEqual(600)
    }
    await load.close()
    await using db = await open(location)
    await db.compact()
    expect(await db.tables()).toMatchObject([
      { name: 'a', exact: true, records: 300 },
      { name: 'b', exact: true, records: 300 },
    ])
  })
})
