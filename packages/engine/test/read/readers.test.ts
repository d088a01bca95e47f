import { getEventListeners } from 'node:events'
import { rmSync } from 'node:fs'
import { type CommitLog, MemoryCommitLog, MemoryLogStorage } from '@firn/commit-log'
import { MemoryObjectStore, type ObjectStore } from '@firn/object-store'
import { tempDirectory } from '@firn/test-support'
import { afterEach, expect, test } from 'vitest'
import { type Database, open } from '../../src/index.js'
import { event } from '../support/event.js'
import { TINY } from '../support/locations.js'
import { overriding } from '../support/overriding.js'

const databases: Database[] = []

afterEach(async () => {
  await Promise.allSettled(databases.splice(0).map((db) => db.close()))
})

const TYPED = { keys: 'utf8', values: 'utf8' } as const
const key = (i: number): string => `key ${String(i).padStart(4, '0')}`

/** A writer with files in level 0, and a reader that has seen but not opened them. */
async function writerAndReader(
  directory: string = tempDirectory(),
): Promise<{ writer: Database; reader: Database }> {
  const writer = await open(`file:${directory}`, { ...TINY, compaction: 'off' })
  databases.push(writer)
  const table = writer.table('t', TYPED)
  for (let i = 0; i < 300; i++) await table.put(key(i), `value ${i}`)
  const reader = await open(`file:${directory}`, { mode: 'read', maxStalenessMs: 3_600_000 })
  databases.push(reader)
  return { writer, reader }
}

/** All of the writer's files are replaced by others. */
async function replaceFiles(writer: Database): Promise<void> {
  const table = writer.table('t', TYPED)
  for (let i = 0; i < 300; i++) await table.put(key(i), `newer ${i}`)
  await writer.compact()
}

test('19: a reader whose files are compacted away reads the files that took their place', async () => {
  const { writer, reader } = await writerAndReader()
  const before = { version: reader.version }
  await using snapshot = await reader.snapshot()
  await replaceFiles(writer)
  const table = reader.table('t', TYPED)
  expect(await table.get(key(7), { at: before })).toBe('value 7')
  expect(await table.get(key(7), { fresh: true })).toBe('newer 7')
  expect(await snapshot.table('t', TYPED).get(key(8))).toBe('value 8')
  expect(await table.getMany([key(1), key(2)])).toEqual(['newer 1', 'newer 2'])
})

test.each([false, true])(
  '19: a scan under way goes on at its moment, row by row (reverse: %s)',
  async (reverse) => {
    const { writer, reader } = await writerAndReader()
    const rows: string[] = []
    let replaced = false
    for await (const page of reader.table('t', TYPED).scan({ reverse }).pages()) {
      rows.push(...page.map(([k, v]) => `${k} = ${v}`))
      if (!replaced) await replaceFiles(writer)
      replaced = true
    }
    const expected = Array.from({ length: 300 }, (_, i) => `${key(i)} = value ${i}`)
    expect(rows).toEqual(reverse ? expected.reverse() : expected)
  },
)

/** The same in memory, with a store of the reader's own. */
async function inMemory(
  readerStore = (store: ObjectStore) => store,
): Promise<{ writer: Database; openReader: () => Promise<Database> }> {
  const store = new MemoryObjectStore()
  const storage = new MemoryLogStorage()
  const log = () => new MemoryCommitLog({ storage, exclusive: true })
  const writer = await open({ store, log, ...TINY, compaction: 'off' })
  databases.push(writer)
  const openReader = async (): Promise<Database> => {
    const own = readerStore(store)
    const reader = await open({ store: own, log, mode: 'read', maxStalenessMs: 3_600_000 })
    databases.push(reader)
    return reader
  }
  return { writer, openReader }
}

async function writeRows(db: Database, table: string, value: string): Promise<void> {
  const batch = db.batch()
  for (let i = 0; i < 300; i++) batch.put(db.table(table, TYPED), key(i), `${value} ${i}`)
  await batch.write()
}

test('19: a read under way finds the files that took the place of its own, though others refreshed meanwhile', async () => {
  const pauseEnd = event()
  const { writer, openReader } = await inMemory((store) =>
    overriding<ObjectStore>(store, {
      async get(...args) {
        if (args[0].endsWith('.sst')) await pauseEnd.happened
        return store.get(...args)
      },
    }),
  )
  await writeRows(writer, 't', 'value')
  const reader = await openReader()
  const table = reader.table('t', TYPED)
  const [value, rows] = [table.get(key(7)), table.scan().toArray()]
  await writeRows(writer, 't', 'newer')
  await writer.compact()
  await reader.refresh()
  pauseEnd.happen()
  expect(await value).toBe('newer 7')
  expect(await rows).toEqual(Array.from({ length: 300 }, (_, i) => [key(i), `value ${i}`]))
})

test('19: a table that is dropped from under a snapshot is refused, each time, and never shown as empty', async () => {
  const { writer, openReader } = await inMemory()
  await writeRows(writer, 't', 'value')
  await writeRows(writer, 'other', 'value')
  const reader = await openReader()
  await using snapshot = await reader.snapshot()
  await writer.dropTable('t')
  await writeRows(writer, 'other', 'newer')
  await writer.compact()
  expect(await snapshot.table('other', TYPED).get(key(7))).toBe('value 7')
  const dropped = snapshot.table('t', TYPED)
  for (let i = 0; i < 2; i++) {
    await expect(dropped.get(key(7))).rejects.toMatchObject({ code: 'FIRN_SNAPSHOT_EXPIRED' })
    await expect(dropped.scan().toArray()).rejects.toMatchObject({ code: 'FIRN_SNAPSHOT_EXPIRED' })
  }
})

test('42: a read ends at its signal, whichever request for it has no answer', async () => {
  const store = new MemoryObjectStore()
  const storage = new MemoryLogStorage()
  const log = () => new MemoryCommitLog({ storage })
  const writer = await open({ store, log, ...TINY, compaction: 'off' })
  databases.push(writer)
  await writeRows(writer, 't', 'value')
  const asked: string[] = []
  let silent = false
  const never = new Promise<never>(() => {})
  const silentStore = overriding<ObjectStore>(store, {
    get: (...args) => {
      if (silent) asked.push('file')
      return silent ? never : store.get(...args)
    },
  })
  const inner = log()
  const silentLog = overriding<CommitLog>(inner, {
    async *readAfter(...args) {
      if (silent) asked.push('log')
      if (silent) await never
      yield* inner.readAfter(...args)
    },
  })
  const reader = await open({
    store: silentStore,
    log: silentLog,
    mode: 'read',
    maxStalenessMs: 1e9,
  })
  silent = true
  const table = reader.table('t', TYPED)
  const calls: [string, (signal: AbortSignal) => Promise<unknown>][] = [
    ['file', (signal) => table.get(key(7), { signal })],
    ['file', (signal) => table.getMany([key(7), key(8)], { signal })],
    ['file', (signal) => table.scan({ signal }).toArray()],
    ['file', (signal) => table.warm({}, { signal })],
    ['log', (signal) => reader.snapshot({ at: { timestamp: 1 }, signal })],
    ['log', (signal) => table.get(key(7), { fresh: true, signal })],
    ['log', (signal) => table.scan({ fresh: true, signal }).toArray()],
  ]
  for (const [service, call] of calls) {
    const caller = new AbortController()
    const called = call(caller.signal).catch((error: unknown) => error)
    await new Promise((resolve) => setImmediate(resolve))
    const reason = new Error('enough')
    caller.abort(reason)
    expect(await called).toBe(reason)
    expect(asked).toContain(service)
  }
})

test('42: many reads with one signal are nothing that Node warns of', async () => {
  const warnings: Error[] = []
  const onWarning = (warning: Error): number => warnings.push(warning)
  process.on('warning', onWarning)
  const { writer, openReader } = await inMemory()
  // Each a file of its own.
  for (let i = 0; i < 16; i++) await writer.table('t', TYPED).put(key(i), 'x'.repeat(1500))
  const keys = Array.from({ length: 16 }, (_, i) => key(i))
  const { signal } = new AbortController()
  const values = keys.map(() => 'x'.repeat(1500))
  expect(await (await openReader()).table('t', TYPED).getMany(keys, { signal })).toEqual(values)
  const scanned = (await openReader()).table('t', TYPED).values({ signal })
  expect(await scanned.toArray()).toEqual(values)
  expect(getEventListeners(signal, 'abort')).toEqual([])
  await new Promise((resolve) => setImmediate(resolve))
  process.off('warning', onWarning)
  expect(warnings).toEqual([])
})

test('19: a file that is gone for good is corruption, not an empty answer', async () => {
  const directory = tempDirectory()
  const { writer, reader } = await writerAndReader(directory)
  await writer.close()
  rmSync(`${directory}/sst`, { recursive: true })
  const table = reader.table('t', TYPED)
  await expect(table.get(key(7))).rejects.toMatchObject({ code: 'FIRN_CORRUPTION' })
  await expect(table.scan().toArray()).rejects.toMatchObject({ code: 'FIRN_CORRUPTION' })
})

test.each(['read', 'write'] as const)(
  '41: a scan that is open when its database is closed sees all, whatever a refresh brings (mode %s)',
  async (mode) => {
    const store = new MemoryObjectStore()
    const storage = new MemoryLogStorage()
    let pause: Promise<void> | undefined
    let paused = (): void => {}
    const inner = new MemoryCommitLog({ storage })
    const slow = overriding<CommitLog>(inner, {
      async *readAfter(...args) {
        if (pause !== undefined) paused()
        await pause
        yield* inner.readAfter(...args)
      },
    })
    await using writer = await open(
      { store, log: () => new MemoryCommitLog({ storage }) },
      { compaction: 'off' },
    )
    for (let i = 0; i < 200; i++) await writer.table('t', TYPED).put(key(i), `value ${i}`)
    // A log that was passed in is the caller's to close.
    const db = await open({ store, log: slow }, { mode, compaction: 'off' })
    databases.push(db)
    await writer.compact()
    const reached = new Promise<void>((resolve) => {
      paused = resolve
    })
    let goOn = (): void => {}
    pause = new Promise((resolve) => {
      goOn = resolve
    })
    const refresh = db.refresh().catch((error: unknown) => error)
    await reached
    let rows = 0
    for await (const [k, v] of db.table('t', TYPED).scan()) {
      expect([k, v]).toEqual([key(rows), `value ${rows}`])
      if (++rows === 10) {
        await db.close()
        goOn()
        await refresh
      }
    }
    expect(rows).toBe(200)
  },
)

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
