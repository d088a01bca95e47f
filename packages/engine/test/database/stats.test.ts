import { expect, test } from 'vitest'
import { open } from '../../src/index.js'
import { TINY } from '../support/locations.js'

test('stats tell the shape of the tree and what it cost', async () => {
  await using db = await open('memory:', { ...TINY, compaction: 'off' })
  const table = db.table('t', { keys: 'utf8', values: 'utf8' })
  const empty = await db.stats()
  expect(empty.levels).toEqual([{ level: 0, files: 0, bytes: 0, records: 0, deletes: 0 }])
  expect(empty.amplification.space).toBe(1)

  await table.put('a', 'x')
  await table.delete('b')
  const memory = await db.stats()
  expect(memory.memtables).toMatchObject({ count: 1, records: 2 })
  expect(memory.log.appendedEntries).toBe(2)
  expect(memory.version).toBe(db.version)

  for (let i = 0; i < 100; i++) await table.put(`key ${i}`, 'x'.repeat(50))
  const filled = await db.stats()
  expect(filled.flushes.count).toBeGreaterThan(0)
  expect(filled.levels[0]?.files).toBeGreaterThanOrEqual(filled.flushes.count)
  expect(filled.requests.kinds.uploadFinish.requests).toBeGreaterThanOrEqual(filled.flushes.count)
  expect(filled.flushedThrough).toBeGreaterThan(0)

  const report = await db.compact()
  const compacted = await db.stats()
  expect(report.compactions).toBeGreaterThan(0)
  expect(compacted.compactions.count).toBe(report.compactions)
  expect(compacted.compactions.bytesWritten).toBe(report.bytesWritten)
  expect(compacted.levels[0]?.files).toBe(0)
  expect(compacted.levels.reduce((sum, level) => sum + level.records, 0)).toBe(102)
  expect(compacted.levels.reduce((sum, level) => sum + level.deletes, 0)).toBe(1)
  expect(compacted.tables).toMatchObject([{ name: 't', records: 102 }])
})

test('an idle database asks its store for nothing', async () => {
  await using db = await open('memory:', TINY)
  const table = db.table('t', { keys: 'utf8', values: 'utf8' })
  for (let i = 0; i < 100; i++) await table.put(`key ${i}`, 'x'.repeat(50))
  await db.compact()
  await table.get('key 5')
  const before = (await db.stats()).requests
  expect(await table.get('key 5')).toBeDefined()
  expect(table.getSync('key 5')).toBeDefined()
  expect((await db.stats()).requests).toEqual(before)
})
