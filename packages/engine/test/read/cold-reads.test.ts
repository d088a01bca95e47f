import { SstReader } from '@firn/sst'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { type Database, type OpenOptions, open, type Table } from '../../src/index.js'

const TYPED = { keys: 'utf8', values: 'utf8' } as const

// Writes of the same key come in batches, each of which is a run of level 0.
const SHAPE: OpenOptions = { compaction: 'off', tuning: { inlineLimitBytes: 0 } }

let db: Database
let table: Table<string, string>

beforeEach(async () => {
  db = await open('memory:', SHAPE)
  table = db.table('t', TYPED)
})

afterEach(async () => {
  vi.restoreAllMocks()
  await db.close()
})

async function putRun(...entries: [string, string][]): Promise<void> {
  const batch = db.batch()
  for (const [key, value] of entries) batch.put(table, key, value)
  await batch.write()
}

/** How often a read asks files for a key, once their blocks have left the memory. */
async function findsOf(read: () => Promise<unknown>): Promise<number> {
  // The files stay open, or are opened again.
  await read()
  await db.evict()
  const find = vi.spyOn(SstReader.prototype, 'find')
  try {
    await read()
    return find.mock.calls.length
  } finally {
    find.mockRestore()
  }
}

test('a get asks the file that it waits for twice: before its block is loaded, and after', async () => {
  await putRun(['a', '1'], ['b', '2'])
  expect(await findsOf(() => table.get('a'))).toBe(2)
  expect(await findsOf(() => table.has('a'))).toBe(2)
  expect(await findsOf(() => table.get('a', { copy: true }))).toBe(2)
  expect(await findsOf(() => table.get('a', { fresh: true }))).toBe(2)
})

test('a get that waits for several files asks each of them twice', async () => {
  for (let run = 0; run < 3; run++) await putRun(['a', `${run}`], ['c', `${run}`])
  vi.spyOn(SstReader.prototype, 'mayContain').mockReturnValue(true)
  expect(await findsOf(() => table.get('b'))).toBe(6)
  expect(await table.get('b')).toBe(undefined)
})

test('snapshots and transactions ask no more often', async () => {
  await putRun(['a', '1'], ['b', '2'])
  await using snapshot = await db.snapshot()
  const then = snapshot.table('t', TYPED)
  expect(await findsOf(() => then.get('a'))).toBe(2)
  expect(await findsOf(() => table.get('a', { at: snapshot }))).toBe(2)
  expect(await findsOf(() => db.transaction((tx) => tx.table('t', TYPED).get('a')))).toBe(2)
})

test('getMany asks for each key twice, however many it has', async () => {
  const keys = Array.from({ length: 100 }, (_, i) => `key ${i}`)
  // A block of its own for each.
  const wide = (key: string): string => key.padEnd(10_000)
  await putRun(...keys.map((key): [string, string] => [key, wide(key)]))
  expect(await findsOf(() => table.getMany(keys))).toBe(200)
  await db.evict()
  expect(await table.getMany(keys)).toEqual(keys.map(wide))
})

test('reads of one table that wait at once have each their own value', async () => {
  const keys = Array.from({ length: 20 }, (_, i) => `key ${i}`)
  for (const key of keys) await putRun([key, `value of ${key}`])
  const reads = await Promise.all(keys.map((key) => table.get(key)))
  expect(reads).toEqual(keys.map((key) => `value of ${key}`))
  await db.evict()
  expect(await Promise.all(keys.map((key) => table.get(key)))).toEqual(reads)
})

test('a get that waits shows the moment it was called in, whatever is written meanwhile', async () => {
  await putRun(['a', '1'], ['b', '2'])
  await db.evict()
  const [a, b] = [table.get('a'), table.getMany(['a', 'b'])]
  await putRun(['a', 'new'])
  await db.compact()
  expect(await a).toBe('1')
  expect(await b).toEqual(['1', '2'])
  expect(await table.get('a')).toBe('new')
})

test('a key that its caller changes while the get waits is the one that was asked for', async () => {
  const raw = db.table('raw')
  const key = Uint8Array.of(1, 2, 3)
  const batch = db.batch()
  batch.put(raw, key, Uint8Array.of(7))
  await batch.write()
  await db.evict()
  const value = raw.get(key)
  key.fill(0)
  expect(await value).toEqual(Uint8Array.of(7))
})

test('a file that is closed while a get waits for its block is read all the same', async () => {
  await using small = await open('memory:', { ...SHAPE, cache: { memoryBytes: 0 } })
  const cramped = small.table('t', TYPED)
  for (const key of ['a', 'b', 'c']) {
    const batch = small.batch()
    batch.put(cramped, key, key)
    await batch.write()
  }
  const keys = ['a', 'b', 'c', 'a', 'd']
  const values = await Promise.all(keys.map((key) => cramped.get(key)))
  expect(values).toEqual(['a', 'b', 'c', 'a', undefined])
})
