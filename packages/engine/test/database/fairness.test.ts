import { systemEnv } from '@firn/env'
import { tempDirectory } from '@firn/test-support'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Database, open, type ReadableTable, type Table } from '../../src/index.js'

// Whatever takes long gives timers, aborts and I/O their turn. All of this works on rows in memory,
// so nothing else would end the turn of the event loop in which it begins.

const ROWS = 60_000

/** A clock by which each look comes after the end of a slice, on machines of any speed. */
let nowMs = 0
const env = { ...systemEnv, monotonic: () => (nowMs += 10) }
const UTF8 = { keys: 'utf8', values: 'utf8' } as const
const keyOf = (i: number): string => `key-${String(i).padStart(8, '0')}`
const keys = Array.from({ length: ROWS }, (_, i) => keyOf(i))

/** Calls `onTurn` at each turn of the event loop, until the function that this returns is called. */
function everyTurn(onTurn: () => void): () => void {
  let handle = setImmediate(function turn() {
    onTurn()
    handle = setImmediate(turn)
  })
  return () => clearImmediate(handle)
}

/** How many turns of the event loop begin before the work is done. */
async function turnsDuring(work: () => Promise<unknown>): Promise<number> {
  let turns = 0
  const end = everyTurn(() => turns++)
  try {
    await work()
  } finally {
    end()
  }
  return turns
}

/** A signal that aborts in the third turn of the event loop. */
function thirdTurn(): AbortSignal {
  const abort = new AbortController()
  let turns = 0
  const end = everyTurn(() => {
    if (++turns < 3) return
    end()
    abort.abort()
  })
  return abort.signal
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
  db = await open('memory:', { env })
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

test.each(Object.entries(reads))('%s gives others their turns', async (_name, work) => {
  expect(await turnsDuring(work)).toBeGreaterThanOrEqual(2)
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

test.each(Object.entries(writes))('%s gives others their turns', async (_name, work) => {
  expect(await turnsDuring(work)).toBeGreaterThanOrEqual(2)
})

test('the commit of a large transaction gives others their turns', async () => {
  let turns: Promise<number> | undefined
  let end = (): void => {}
  const ended = new Promise<void>((resolve) => {
    end = resolve
  })
  await db.transaction(async (transaction) => {
    const rows = transaction.table('written', UTF8)
    await rows.get('x')
    await Promise.all(keys.map((key) => rows.put(key, 'v')))
    turns = turnsDuring(() => ended)
  })
  end()
  expect(await turns).toBeGreaterThanOrEqual(2)
})

test('a scan is ended by its signal amid rows in memory', async () => {
  let rows = 0
  const loop = async (): Promise<void> => {
    for await (const _ of table.scan({ signal: thirdTurn() })) rows++
  }
  await expect(loop()).rejects.toMatchObject({ name: 'AbortError' })
  expect(rows).toBeLessThan(ROWS)
  for (const work of [
    () => table.count({ signal: thirdTurn() }),
    () => table.scan({ signal: thirdTurn() }).toArray(),
    () => table.getMany(keys, { signal: thirdTurn() }),
  ]) {
    await expect(work()).rejects.toMatchObject({ name: 'AbortError' })
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

test('a loop of buffered puts into a directory gives others their turns', async () => {
  const stored = await open(`file:${tempDirectory()}`)
  const rows = stored.table('rows', UTF8)
  const work = async (): Promise<void> => {
    for (const key of keys) await rows.put(key, 'v', { durability: 'buffered' })
  }
  expect(await turnsDuring(work)).toBeGreaterThanOrEqual(2)
  await stored.close()
})

test('getMany answers for one moment, though others have turns amid it', async () => {
  const read = table.getMany(keys)
  const last = keys.at(-1) as string
  const before = await table.get(last)
  await new Promise((resolve) => setImmediate(resolve))
  let isAnswered = false
  const answer = read.then((values) => {
    isAnswered = true
    return values.at(-1)
  })
  await table.put(last, 'newer', { durability: 'buffered' })
  expect(isAnswered).toBe(false)
  expect(await answer).toBe(before)
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
