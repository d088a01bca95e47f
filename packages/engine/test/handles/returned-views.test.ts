import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type Database, open, type Table } from '../../src/index.js'

const bytes = (text: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text)
const text = (value: Uint8Array | undefined): string | undefined =>
  value === undefined ? undefined : new TextDecoder().decode(value)

const KEYS = Array.from({ length: 200 }, (_, i) => bytes(`k${String(i).padStart(3, '0')}`))

let db: Database
let table: Table

beforeEach(async () => {
  db = await open('memory:')
  table = db.table('t')
  for (const key of KEYS) await table.put(key, key)
})

afterEach(async () => {
  await db.close()
})

/** What a program does that hands an array on to a worker. Newer releases of Node.js refuse it. */
function transferAway(array: Uint8Array): void {
  try {
    structuredClone(array, { transfer: [array.buffer as ArrayBuffer] })
  } catch (error) {
    expect(error).toMatchObject({ name: 'DataCloneError' })
  }
}

describe.each(['in memtables', 'in files'])('values that were returned, read %s', (where) => {
  beforeEach(async () => {
    if (where === 'in files') await db.compact()
  })

  test('stay whole when one of getMany is transferred to another thread', async () => {
    const [a, b] = await table.getMany(KEYS.slice(0, 2))
    transferAway(a as Uint8Array)
    expect(text(b)).toBe('k001')
    expect(text(await table.get(KEYS[2] as Uint8Array))).toBe('k002')
  })

  test('stay whole when one of get or getSync is transferred', async () => {
    const a = await table.get(KEYS[0] as Uint8Array)
    const b = table.getSync(KEYS[1] as Uint8Array)
    const c = await table.get(KEYS[2] as Uint8Array, { fresh: true })
    transferAway(a as Uint8Array)
    transferAway(c as Uint8Array)
    expect(text(b)).toBe('k001')
  })

  test.each([
    ['the whole table', {}],
    ['backwards', { reverse: true }],
    ['a few rows', { gte: bytes('k010'), limit: 20 }],
  ])('stay whole when a row of a scan is transferred: %s', async (_, options) => {
    const expected = (await table.scan(options).toArray()).map(([key]) => text(key))
    const rows: (string | undefined)[] = []
    const kept: Uint8Array[] = []
    let other: Uint8Array | undefined
    for await (const [key, value] of table.scan(options)) {
      if (rows.length % 10 === 3) {
        // Of another scan, whose rows may stand in the same memory.
        other ??= (await table.values({ gte: bytes('k100'), limit: 1 }).toArray())[0]
        transferAway(key)
        transferAway(value)
        rows.push(expected[rows.length])
        continue
      }
      kept.push(value)
      rows.push(text(key))
      expect(text(value)).toBe(rows.at(-1))
    }
    expect(rows).toEqual(expected)
    expect(kept.map(text)).toEqual(expected.filter((_, i) => i % 10 !== 3))
    expect(text(other)).toBe('k100')
  })

  test('may be changed and kept: no other caller sees it', async () => {
    const [first] = await table.scan().toArray()
    for (const array of first as Uint8Array[]) array.fill(0)
    ;(await table.get(KEYS[1] as Uint8Array))?.fill(0)
    ;(await table.getMany([KEYS[2] as Uint8Array]))[0]?.fill(0)
    expect((await table.scan().toArray()).map(([, value]) => value)).toEqual(KEYS)
  })

  test('have a buffer of their own, of their length, with copy: true', async () => {
    const copy = true
    const arrays: Uint8Array[] = []
    const add = (...more: (Uint8Array | undefined)[]): void => {
      for (const array of more) if (array !== undefined) arrays.push(array)
    }
    const [key, other] = KEYS as [Uint8Array, Uint8Array]
    add(await table.get(key, { copy }))
    add(await table.get(key, { copy, fresh: true }))
    add(...(await table.getMany([key, other], { copy })))
    add(...(await table.scan({ copy }).toArray()).flat())
    add(...(await table.keys({ copy, reverse: true }).toArray()))
    add(...(await table.values({ copy, limit: 5 }).toArray()))
    for await (const page of table.scan({ copy }).pages()) add(...page.flat())
    await using snapshot = await db.snapshot()
    add(...(await snapshot.table('t').scan({ copy }).toArray()).flat())
    await db.transaction(async (tx) => {
      add(await tx.table('t').get(key, { copy }), ...(await tx.table('t').keys({ copy }).toArray()))
    })
    await db.evict()
    add(await table.get(key, { copy }), ...(await table.getMany([key, other], { copy })))
    expect(arrays.length).toBeGreaterThan(1500)
    for (const array of arrays) expect(array.buffer.byteLength).toBe(array.length)
    expect(new Set(arrays.map(({ buffer }) => buffer)).size).toBe(arrays.length)
    // So they can be handed on, by transfer or as a message of their own size.
    const [a, b] = arrays as [Uint8Array<ArrayBuffer>, Uint8Array]
    const sent = structuredClone(a, { transfer: [a.buffer] })
    expect([a.length, text(sent), text(b)]).toEqual([0, 'k000', 'k000'])
  })

  test('copy: true gives an encoding of one’s own arrays of its own', async () => {
    const same = { name: 'bytes', encode: (b: Uint8Array) => b, decode: (b: Uint8Array) => b }
    const mine = db.table('t', { keys: same, values: same })
    const found = await mine.get(KEYS[0] as Uint8Array, { copy: true })
    const rows = await mine.scan({ copy: true, limit: 3 }).toArray()
    for (const array of [found as Uint8Array, ...rows.flat()]) {
      expect(array.buffer.byteLength).toBe(array.length)
    }
  })
})
