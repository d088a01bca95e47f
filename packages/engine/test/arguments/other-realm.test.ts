import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { createContext, runInContext } from 'node:vm'
import { MemoryCommitLog } from '@firn/commit-log'
import { MemoryObjectStore } from '@firn/object-store'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type Database, type Encoding, open, type Table } from '../../src/index.js'

const bytes = (text: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text)

// A realm of its own: its classes are others than those of this file, by the same names.
const context = createContext({})
const foreign = <T>(code: string): T => runInContext(code, context) as T
const foreignBytes = (text: string): Uint8Array =>
  foreign(`new Uint8Array(${JSON.stringify([...bytes(text)])})`)

let db: Database
let table: Table

beforeEach(async () => {
  db = await open('memory:')
  table = db.table('t')
  for (const letter of 'abc') await table.put(bytes(letter), bytes(letter))
})

afterEach(async () => {
  await db.close()
})

test('byte arrays of another realm are keys, values and bounds', async () => {
  expect(foreignBytes('a')).not.toBeInstanceOf(Uint8Array)
  await table.put(foreignBytes('d'), foreignBytes('D'))
  await db.batch().put(table, foreignBytes('e'), foreignBytes('E')).write()
  await db.transaction(async (tx) => {
    const mine = tx.table('t')
    expect(await mine.get(foreignBytes('d'))).toEqual(bytes('D'))
    await mine.put(foreignBytes('f'), foreignBytes('F'))
  })
  await db.compact()
  for (const cold of [false, true]) {
    if (cold) await db.evict()
    expect(await table.get(foreignBytes('f'))).toEqual(bytes('F'))
    const keys: Uint8Array[] = foreign('[new Uint8Array([97]), new Uint8Array([100])]')
    expect(await table.getMany(keys)).toEqual([bytes('a'), bytes('D')])
    expect(await table.has(foreignBytes('e'), { fresh: true })).toBe(true)
    expect(await table.keys({ gte: foreignBytes('d'), lt: foreignBytes('f') }).toArray()).toEqual([
      bytes('d'),
      bytes('e'),
    ])
    expect(await table.count({ prefix: foreignBytes('a') })).toBe(1)
  }
  await table.delete(foreignBytes('d'))
  expect(table.getSync(foreignBytes('d'))).toBeUndefined()
})

test('Dates, options, signals and encodings of another realm are what they are', async () => {
  const past = foreign<Date>('new Date(Date.now() + 100000)')
  expect(past).not.toBeInstanceOf(Date)
  expect(await table.get(bytes('a'), { at: past })).toEqual(bytes('a'))
  expect(await table.scan({ at: past }).toArray()).toHaveLength(3)
  await (await db.snapshot({ at: past })).close()
  expect(await table.scan(foreign('({ limit: 2, reverse: true })')).toArray()).toHaveLength(2)
  expect(() => table.scan(foreign('[]'))).toThrow(/options of scan must be/)
  expect(() => table.scan(foreign('new Date()'))).toThrow(/options of scan must be/)
  await expect(table.get(bytes('a'), { at: foreign('new Date(NaN)') })).rejects.toThrow(
    /invalid Date/,
  )

  const values = foreign<Encoding<string>>(`({
    name: 'foreign',
    encode: (text) => new Uint8Array([...text].map((c) => c.charCodeAt(0))),
    decode: (bytes) => String.fromCharCode(...bytes),
  })`)
  const mine = db.table('mine', { keys: 'tuple', values, history: foreign('({ versions: 3 })') })
  await mine.put([foreign<Date>('new Date(5)'), foreignBytes('a'), foreign('["x"]')], 'value')
  expect(await mine.get([new Date(5), bytes('a'), ['x']])).toBe('value')
  expect(await mine.keys({ prefix: [foreign<Date>('new Date(5)')] }).toArray()).toEqual([
    [new Date(5), bytes('a'), ['x']],
  ])
})

test('errors of another realm say what they say', async () => {
  const log = new MemoryCommitLog()
  const failing = Object.create(log, {
    exclusive: { value: true },
    inlineLimitBytes: { value: log.inlineLimitBytes },
    readAfter: { value: log.readAfter.bind(log) },
    append: { value: async () => Promise.reject(foreign('new TypeError("the disk is on fire")')) },
  }) as MemoryCommitLog
  const store = new MemoryObjectStore()
  await (await open({ store, log })).close().catch(() => {})
  await using other = await open({ store, log: failing })
  const error = await other
    .table('t')
    .put(bytes('a'), bytes('a'))
    .catch((error: unknown) => error)
  expect(error).toMatchObject({
    code: 'FIRN_WRITE_STOPPED',
    message: expect.stringContaining('(the disk is on fire)'),
  })
})

test('what is no byte array is refused, with how to make one', async () => {
  const view = new DataView(new ArrayBuffer(8))
  for (const value of [
    view,
    view.buffer,
    new SharedArrayBuffer(8),
    new Uint16Array(4),
    foreign('new Int8Array(4)'),
  ]) {
    await expect(table.put(bytes('k'), value as never)).rejects.toThrow(/new Uint8Array\(/)
    await expect(table.get(value as never)).rejects.toThrow(/new Uint8Array\(/)
  }
})

test('a byte array over a SharedArrayBuffer is read during the call, as any other', async () => {
  const shared = new Uint8Array(new SharedArrayBuffer(1))
  shared.set(bytes('a'))
  const put = table.put(shared, shared)
  const read = table.get(shared, { fresh: true })
  const scan = table.keys({ gte: shared, lte: shared })
  shared.set(bytes('z'))
  await put
  expect(await read).toEqual(bytes('a'))
  const keys = await scan.toArray()
  expect(keys).toEqual([bytes('a')])
  for (const key of keys) expect(key.buffer).toBeInstanceOf(ArrayBuffer)
  expect(await table.get(bytes('z'))).toBeUndefined()
})

test('a database works in a realm that Node.js is outside of, as in jest', async () => {
  const script = fileURLToPath(new URL('../support/realm.mjs', import.meta.url))
  const args = ['--no-warnings', '--experimental-vm-modules', script]
  const { stdout } = await promisify(execFile)(process.execPath, args)
  expect(stdout).toBe('done\n')
}, 60_000)
