import { tempDirectory } from '@firn/test-support'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Database, open, type ReadableTable, type Table } from '../../src/index.js'

// Whatever takes long gives timers, aborts and I/O their turn. All of this works on rows in memory,
// so nothing else would end the turn of the event loop in which it begins.

const ROWS = 60_000
/** Short, so that a fast machine needs several for each piece of work. */
const SLICED = { tuning: { sliceMs: 2 } }
const UTF8 = { keys: 'utf8', values: 'utf8' } as const
const keyOf = (i: number): string => `key-${String(i).padStart(8, '0')}`
const keys = Array.from({ length: ROWS }, (_, i) => keyOf(i))

/** Whether a timer of a millisecond, set before the work, had its turn before the work was done. */
async function letsTimersRun(work: () => Promise<unknown>): Promise<boolean> {
  let ran = false
  const timer = setTimeout(() => {
    ran = true
  }, 1)
  await work()
  clearTimeout(timer)
  return ran
}

async function readAll(rows: AsyncIterable<unknown>): Promise<number> {
  let count = 0
  for await (const _ of rows) count++
  return count
}

let db: Database
let table: Table<string, string>
let dead: Table<string, string>

beforeAll(async () => {
  db = await open('memory:', SLICED)
  table = db.table('rows', UTF8)
  dead = db.table('dead', UTF8)
  for (let from = 0; from < ROWS; from += 10_000) {
    const batch = db.batch()
    for (const key of keys.slice(from, from + 10_000)) {
      batch.put(table, key, `value of ${key}`).put(dead, key, '')
    }
    await batch.write()
  }
  await db.compact()
  await table.warm()
  for (let from = 0; from < ROWS; from += 10_000) {
    const batch = db.batch()
    for (const key of keys.slice(from, from + 10_000)) batch.delete(dead, key)
    await batch.write()
  }
  await dead.warm()
}, 60_000)

afterAll(async () => {
  await db.close()
})

const inSnapshot = async (read: (table: ReadableTable<string, string>) => Promise<unknown>) => {
  const snapshot = await db.snapshot()
  await read(snapshot.table('rows', UTF8))
  await snapshot.close()
}

const reads: Record<string, () => Promise<unknown>> = {
  'a loop over all rows': () => readAll(table.scan()),
  'a loop over all rows from the end': () => readAll(table.scan({ reverse: true })),
  'a loop over all keys': () => readAll(table.keys()),
  'a loop over all pages': () => readAll(table.scan().pages()),
  'all rows as an array': () => table.scan().toArray(),
  'a count': () => table.count(),
  'a count of rows that are deleted': () => dead.count(),
  'a search for the first row behind many that are deleted': () =>
    dead.scan({ limit: 1 }).toArray(),
  'a search for the last row before many that are deleted': () =>
    dead.scan({ limit: 1, reverse: true }).toArray(),
  'getMany of many keys': () => table.getMany(keys),
  'getMany of many keys in a snapshot': () => inSnapshot((rows) => rows.getMany(keys)),
  'a loop of get': async () => {
    for (const key of keys) await table.get(key)
  },
  'a loop of get with options': async () => {
    for (const key of keys) await table.get(key, { copy: true })
  },
  'a loop of get in a snapshot': () =>
    inSnapshot(async (rows) => {
      for (const key of keys) await rows.get(key)
    }),
  'a loop of has': async () => {
    for (const key of keys) await table.has(key)
  },
  'a loop of short scans': async () => {
    for (const key of keys.slice(0, 10_000)) await table.scan({ gte: key, limit: 2 }).toArray()
  },
  'a loop of snapshots': async () => {
    for (let i = 0; i < 50_000; i++) await (await db.snapshot()).close()
  },
  'a loop of transactions that read nothing': async () => {
    for (let i = 0; i < 50_000; i++) await db.transaction(async () => {})
  },
  'loops of what tells about the database': async () => {
    for (let i = 0; i < 5_000; i++) {
      await db.tables()
      await db.refresh()
      await db.explain(() => 1)
      await db.stats()
      await db.flush()
    }
  },
}

test.each(Object.entries(reads))('%s lets timers run', async (_name, work) => {
  expect(await letsTimersRun(work)).toBe(true)
})

const writes: Record<string, () => Promise<unknown>> = {
  'a loop of reads in a transaction': () =>
    db.transaction(async (transaction) => {
      const rows = transaction.table('rows', UTF8)
      for (const key of keys) await rows.get(key)
    }),
  'a loop of puts in a transaction': () =>
    db.transaction(async (transaction) => {
      const rows = transaction.table('written', UTF8)
      for (const key of keys) await rows.put(key, 'v')
    }),
  'a loop of deletes in a transaction': () =>
    db.transaction(async (transaction) => {
      const rows = transaction.table('written', UTF8)
      for (const key of keys) await rows.delete(key)
    }),
  'a loop of durable puts, or of small batches': async () => {
    for (const key of keys.slice(0, 5_000)) {
      await table.put(key, 'v')
      await db.batch().put(table, key, 'w').write()
    }
  },
}

test.each(Object.entries(writes))('%s lets timers run', async (_name, work) => {
  expect(await letsTimersRun(work)).toBe(true)
})

test('the commit of a large transaction lets timers run', async () => {
  let timersRan: Promise<boolean> | undefined
  let end = (): void => {}
  const ended = new Promise<void>((resolve) => {
    end = resolve
  })
  await db.transaction(async (transaction) => {
    const rows = transaction.table('written', UTF8)
    await rows.get('x')
    await Promise.all(keys.map((key) => rows.put(key, 'v')))
    timersRan = letsTimersRun(() => ended)
  })
  end()
  expect(await timersRan).toBe(true)
})

test('a scan is ended by its signal amid rows in memory', async () => {
  let rows = 0
  const loop = async (): Promise<void> => {
    for await (const _ of table.scan({ signal: AbortSignal.timeout(5) })) rows++
  }
  await expect(loop()).rejects.toMatchObject({ name: 'TimeoutError' })
  expect(rows).toBeLessThan(ROWS)
  for (const work of [
    () => table.count({ signal: AbortSignal.timeout(5) }),
    () => table.scan({ signal: AbortSignal.timeout(5) }).toArray(),
    () => table.getMany(keys, { signal: AbortSignal.timeout(5) }),
  ]) {
    await expect(work()).rejects.toMatchObject({ name: 'TimeoutError' })
  }
})

test('a scan is ended at the next row by an abort in its own loop', async () => {
  const abort = new AbortController()
  let rows = 0
  const loop = async (): Promise<void> => {
    for await (const _ of table.scan({ signal: abort.signal })) if (++rows === 3) abort.abort()
  }
  await expect(loop()).rejects.toMatchObject({ name: 'AbortError' })
  expect(rows).toBe(3)
})

test('a loop of buffered puts into a directory lets timers run', async () => {
  const stored = await open(`file:${tempDirectory()}`, SLICED)
  const rows = stored.table('rows', UTF8)
  const work = async (): Promise<void> => {
    for (const key of keys) await rows.put(key, 'v', { durability: 'buffered' })
  }
  expect(await letsTimersRun(work)).toBe(true)
  await stored.close()
})

test('a scan of 60,000 rows is ended by a signal of 5 ms, without any tuning', async () => {
  const plain = await open('memory:')
  const rows = plain.table('rows', UTF8)
  const batch = plain.batch()
  for (const key of keys) batch.put(rows, key, 'v')
  await batch.write()
  await rows.warm()
  let count = 0
  const loop = async (): Promise<void> => {
    for await (const _ of rows.scan({ signal: AbortSignal.timeout(5) })) count++
  }
  await expect(loop()).rejects.toMatchObject({ name: 'TimeoutError' })
  expect(count).toBeLessThan(ROWS)
  await plain.close()
})

test('getMany answers for one moment, though others have turns amid it', async () => {
  const read = table.getMany(keys)
  const last = keys.at(-1) as string
  const before = await table.get(last)
  setTimeout(() => void table.put(last, 'newer', { durability: 'buffered' }), 1)
  expect((await read).at(-1)).toBe(before)
  expect(await table.get(last)).toBe('newer')
})
test('tuning.sliceMs says how long; 0 gives a turn at every other step', async () => {
  const db = await open('memory:', { tuning: { sliceMs: 0 } })
  const rows = db.table('rows', UTF8)
  for (let i = 0; i < 10; i++) await rows.put(keyOf(i), 'v')
  let turns = 0
  let counts = true
  const count = (): void => {
    turns++
    if (counts) setImmediate(count)
  }
  setImmediate(count)
  expect(await readAll(rows.scan())).toBe(10)
  counts = false
  expect(turns).toBeGreaterThanOrEqual(4)
  await db.close()
  await expect(open('memory:', { tuning: { sliceMs: -1 } })).rejects.toMatchObject({
    code: 'FIRN_INVALID_ARGUMENT',
  })
})
