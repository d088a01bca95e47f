import { MemoryCommitLog, MemoryLeases, ObjectCommitLog } from '@firn/commit-log'
import { TestEnv } from '@firn/env/testing'
import { MemoryObjectStore, MeteredObjectStore } from '@firn/object-store'
import { expect, test } from 'vitest'
import { open } from '../../src/index.js'
import { TINY } from '../support/locations.js'

test('an idle database asks for nothing for an hour, whatever was under way before', async () => {
  const env = new TestEnv()
  const store = new MeteredObjectStore(new MemoryObjectStore())
  const log = (incarnation: string): ObjectCommitLog => new ObjectCommitLog(store, incarnation)
  const leases = new MemoryLeases({ env })
  await using db = await open({ store, log, leases }, { ...TINY, env })
  const table = db.table('t', { keys: 'utf8', values: 'utf8' })
  for (let i = 0; i < 100; i++) await table.put(`key ${i % 30}`, 'x'.repeat(100))
  await db.compact()
  expect((await db.stats()).flushes.count).toBeGreaterThan(0)
  // What follows the last commit (a pause is awaited, the lease let go of) has its time.
  for (let i = 0; i < 200; i++) {
    env.advance(100)
    await env.yield()
  }
  const before = store.snapshot().requests
  for (let i = 0; i < 3600; i++) {
    env.advance(1000)
    await env.yield()
  }
  expect(store.snapshot().requests).toBe(before)
})

test.each([
  ['objects', 2],
  ['memory', 0],
] as const)(
  'in a pause of writes, level 0 is merged where that costs no requests (log %s)',
  async (kind, left) => {
    const env = new TestEnv()
    const store = new MemoryObjectStore()
    const parts =
      kind === 'memory'
        ? { store, log: new MemoryCommitLog() }
        : { store, log: (incarnation: string) => new ObjectCommitLog(store, incarnation) }
    await using db = await open(parts, { env, compaction: 'inline', memtableBytes: 2048 })
    const table = db.table('t', { keys: 'utf8', values: 'utf8' })
    const level0 = async (): Promise<number | undefined> => (await db.stats()).levels[0]?.files
    for (let i = 0; (await level0()) !== 2; i++) {
      await table.put(`key ${i % 30}`, 'x'.repeat(100))
      await env.yield()
    }
    for (let i = 0; i < 100; i++) {
      env.advance(10)
      await env.yield()
    }
    expect(await level0()).toBe(left)
  },
)
