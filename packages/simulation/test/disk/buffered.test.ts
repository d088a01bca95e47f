import { FileCommitLog } from '@firn/commit-log/file'
import { type Database, open } from '@firn/engine'
import { MeteredObjectStore } from '@firn/object-store'
import { FsObjectStore } from '@firn/object-store/fs'
import { expect, test } from 'vitest'
import { Machine } from '../../src/disk/machine.js'
import { EVERYTHING, NOTHING, type Survival } from '../../src/disk/survival.js'
import { Bench, CALM } from './bench.js'

const DIRECTORY = '/data/db'
const BUFFERED = { durability: 'buffered' } as const
const FLUSH_INTERVAL_MS = 100

function openOn({ files, life }: Bench, memtableBytes: number): Promise<Database> {
  const { env } = life
  const { fileSystem } = files
  return open({
    store: new MeteredObjectStore(new FsObjectStore(DIRECTORY, { env, fileSystem })),
    log: () => FileCommitLog.open(DIRECTORY, { env, fileSystem, segmentBytes: 200_000 }),
    env,
    compaction: 'inline',
    memtableBytes,
    flushIntervalMs: FLUSH_INTERVAL_MS,
  })
}

const table = (db: Database) => db.table('t', { keys: 'utf8', values: 'utf8' })

/**
 * Does some work on a new database, and lets its process crash at the end of it: in that same
 * moment.
 */
async function keysAfter(
  work: (db: Database, bench: Bench) => Promise<unknown>,
  { survival, memtableBytes = 1_000_000 }: { survival: Survival; memtableBytes?: number },
): Promise<string[]> {
  const machine = new Machine()
  const bench = new Bench(machine, CALM, 1)
  await bench.run('work', async () => {
    const db = await openOn(bench, memtableBytes)
    await table(db).put('first', 'x')
    await work(db, bench)
    bench.kill()
    machine.crash(survival)
  })
  const next = new Bench(machine, CALM, 2)
  return next.run('recovery', async () => {
    const db = await openOn(next, memtableBytes)
    const keys: string[] = []
    for await (const key of table(db).scan().keys()) keys.push(key)
    await db.close()
    return keys.filter((key) => key !== 'first')
  })
}

// A memtable is sealed by what is buffered, and its next entry begins a segment where that is worth
// it.
test.each([
  ['in the same segment', 3000],
  ['over the border of a segment', 100_000],
  ['over the end of a full segment', 190_000],
])('a durable put that follows buffered ones makes them durable, %s', async (_, bytes) => {
  for (const sealed of [true, false]) {
    const keys = await keysAfter(
      async (db, { life }) => {
        // Then the first one is handed over at once, without a sync.
        await life.env.sleep(5)
        await table(db).put('a', 'x'.repeat(bytes), BUFFERED)
        await table(db).put('b', 'x', BUFFERED)
        await table(db).put('c', 'x')
      },
      { survival: NOTHING, memtableBytes: sealed ? 1024 : 1_000_000 },
    )
    expect(keys).toEqual(['a', 'b', 'c'])
  }
})

test('buffered puts outlive the machine once the interval for a sync is over', async () => {
  const keys = await keysAfter(
    async (db, { life }) => {
      for (let i = 0; i < 40; i++) {
        await table(db).put(String(i).padStart(2, '0'), 'x'.repeat(5000), BUFFERED)
        await life.env.sleep(10)
      }
    },
    { survival: NOTHING },
  )
  expect(keys).toEqual(keys.map((_, i) => String(i).padStart(2, '0')))
  // Ten milliseconds for each, and a few for the sync.
  expect(keys.length).toBeGreaterThanOrEqual(40 - FLUSH_INTERVAL_MS / 10 - 2)
})

test('buffered puts outlive the process two milliseconds later, and the first one at once', async () => {
  const put = (db: Database, key: string) => table(db).put(key, 'x', BUFFERED)
  const pause = (bench: Bench, ms: number) => bench.life.env.sleep(ms)
  const now = await keysAfter(
    async (db, bench) => {
      await pause(bench, 5)
      await put(db, 'a')
    },
    { survival: EVERYTHING },
  )
  expect(now).toEqual(['a'])
  const soon = await keysAfter(
    async (db, bench) => {
      for (const key of ['a', 'b', 'c', 'd']) await put(db, key)
      await pause(bench, 2)
    },
    { survival: EVERYTHING },
  )
  expect(soon).toEqual(['a', 'b', 'c', 'd'])
})
