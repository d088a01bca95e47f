import { tempDirectory } from '@firn/test-support'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type Database, open, type Rows } from '../../src/index.js'
import { TINY } from '../support/locations.js'

// What a scan has returned is its caller's, who may overwrite it at once: in the loop's body, or
// while a key is decoded. Nothing that the scan reads after it, or notes, depends on it.

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const text = (array: Uint8Array): string => new TextDecoder().decode(array)
const keyOf = (i: number): string => `k${String(i).padStart(3, '0')}`
const KEYS = Array.from({ length: 200 }, (_, i) => keyOf(i))
const BLOCK_BYTES = 256
const OPTIONS = {
  ...TINY,
  compaction: 'off',
  tuning: { ...TINY.tuning, blockBytes: BLOCK_BYTES },
} as const

let directory: string
const databases: Database[] = []

async function openDatabase(options: Parameters<typeof open>[1]): Promise<Database> {
  const db = await open(`file:${directory}`, options)
  databases.push(db)
  return db
}

/** A block for each row, so that a scan waits after each page of it. */
const wide = (value: string): string => value.padEnd(BLOCK_BYTES, '.')

/** Each row anew, so that the scan has older versions to pass over. */
async function writeAll(db: Database, value: string): Promise<void> {
  const batch = db.batch()
  for (const key of KEYS) batch.put(db.table('t'), bytes(key), bytes(wide(value)))
  await batch.write()
}

beforeEach(() => {
  directory = tempDirectory()
})

afterEach(async () => {
  await Promise.allSettled(databases.splice(0).map((db) => db.close()))
})

/** The rows as text. Each is overwritten as soon as it is there. */
async function readAndOverwrite(rows: Rows<[Uint8Array, Uint8Array]>): Promise<string[]> {
  const seen: string[] = []
  for await (const row of rows) {
    seen.push(row.map(text).join(' = '))
    for (const array of row) array.fill(0x55)
  }
  return seen
}

const expected = (value: string, reverse: boolean): string[] => {
  const rows = KEYS.map((key) => `${key} = ${wide(value)}`)
  return reverse ? rows.reverse() : rows
}

test.each([false, true])(
  'rows are shown once, though they were overwritten (reverse: %s)',
  async (reverse) => {
    const db = await openDatabase(OPTIONS)
    await writeAll(db, 'old')
    await db.flush()
    await writeAll(db, 'new')
    await db.evict()
    const scan = db.table('t').scan({ reverse })
    expect(await readAndOverwrite(scan)).toEqual(expected('new', reverse))
  },
)

test.each([false, true])(
  'a scan goes on behind its last row on other files, though that was overwritten (reverse: %s)',
  async (reverse) => {
    const writer = await openDatabase(OPTIONS)
    await writeAll(writer, 'older')
    await writer.flush()
    const reader = await openDatabase({ mode: 'read', maxStalenessMs: 3_600_000 })
    const seen: string[] = []
    for await (const row of reader.table('t').scan({ reverse })) {
      if (seen.length === 0) {
        await writeAll(writer, 'newer')
        await writer.compact()
      }
      seen.push(row.map(text).join(' = '))
      for (const array of row) array.fill(0x55)
    }
    expect(seen).toEqual(expected('older', reverse))
  },
)

const IN_PLACE = {
  name: 'reversed in place',
  encode: (key: string) => bytes(key).reverse(),
  decode: (array: Uint8Array) => {
    const key = text(array.slice().reverse())
    array.fill(0)
    return key
  },
}

test('an encoding may overwrite what it decodes', async () => {
  const db = await openDatabase(OPTIONS)
  const table = db.table('t', { keys: IN_PLACE, values: IN_PLACE })
  for (const value of ['old', 'new']) {
    for (const key of KEYS) await table.put(key, value)
    await db.flush()
  }
  const rows = KEYS.map((key) => [key, 'new'])
  const sorted = rows.sort(([a = ''], [b = '']) =>
    text(bytes(a).reverse()) < text(bytes(b).reverse()) ? -1 : 1,
  )
  for (const evicts of [false, true]) {
    for (const reverse of [false, true]) {
      if (evicts) await db.evict()
      const seen = await table.scan({ reverse }).toArray()
      expect(reverse ? seen.reverse() : seen).toEqual(sorted)
      const seenKeys = await table.keys({ reverse }).toArray()
      expect(reverse ? seenKeys.reverse() : seenKeys).toEqual(sorted.map(([key]) => key))
    }
  }
})

test('a transaction that overwrote its rows is held to all that it has read', async () => {
  const db = await openDatabase(OPTIONS)
  const table = db.table('t')
  const decoded = db.table('decoded', { keys: IN_PLACE })
  for (const key of KEYS) {
    await table.put(bytes(key), bytes('old'))
    await decoded.put(key, bytes('old'))
  }
  let attempts = 0
  await db.transaction(async (tx) => {
    for await (const [key] of tx.table('t').scan({ limit: 10 })) key.fill(0)
    // Another's write to the last row but one that the scan has read.
    if (attempts++ === 0) await table.put(bytes(keyOf(8)), bytes('theirs'))
    tx.table('t').put(bytes('other'), bytes('mine'))
  })
  expect(attempts).toBe(2)
  attempts = 0
  await db.transaction(async (tx) => {
    const own = tx.table('decoded', { keys: IN_PLACE })
    const keys = await own.keys({ limit: 10 }).toArray()
    if (attempts++ === 0) await decoded.put(keys[8] as string, bytes('theirs'))
    own.put('other', bytes('mine'))
  })
  expect(attempts).toBe(2)
})
