import { join } from 'node:path'
import { inspect } from 'node:util'
import { MemoryCommitLog } from '@firn/commit-log'
import { TestEnv } from '@firn/env/testing'
import { MemoryObjectStore } from '@firn/object-store'
import { tempDirectory } from '@firn/test-support'
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest'
import {
  type Database,
  type EvictOptions,
  type OpenOptions,
  open,
  type Range,
  type ReadOptions,
  type ScanOptions,
  type Table,
  type TableOptions,
  type TransactionOptions,
  type Tuning,
  type WriteOptions,
} from '../../src/index.js'

const utf8 = { keys: 'utf8', values: 'utf8' } as const

/** Everything below is what the types refuse, and JavaScript lets through. */
// biome-ignore lint/suspicious/noExplicitAny: see above
type Anything = any

let db: Database
let table: Table<string, string>

beforeEach(async () => {
  db = await open('memory:')
  table = db.table('t', utf8)
  await table.put('k', 'v')
})

afterEach(async () => {
  await db.close()
})

/** The error of a call. Calls that return a promise never throw instead. */
async function errorOf(call: () => unknown, isAsync: boolean): Promise<Error & { code?: string }> {
  let returned: unknown
  try {
    returned = call()
  } catch (error) {
    if (isAsync) expect.fail(`thrown, not rejected: ${String(error)}`)
    return error as Error
  }
  expect(returned instanceof Promise).toBe(isAsync)
  try {
    await returned
  } catch (error) {
    return error as Error
  }
  return expect.fail('nothing was refused')
}

async function expectRefused(
  call: () => unknown,
  message: RegExp,
  { isAsync = true } = {},
): Promise<void> {
  const error = await errorOf(call, isAsync)
  expect(error).toMatchObject({ code: 'FIRN_INVALID_ARGUMENT' })
  expect(error.message).toMatch(message)
  // Nothing was written, and nothing stopped.
  await table.put('k', 'v')
  expect(await table.scan().toArray()).toEqual([['k', 'v']])
}

type Call = (options: Anything) => unknown

const reads: [string, Call][] = [
  ['get', (options) => table.get('k', options)],
  ['has', (options) => table.has('k', options)],
  ['getMany', (options) => table.getMany(['k'], options)],
]
const scans: [string, Call, boolean][] = [
  ['scan', (options) => table.scan(options), false],
  ['keys', (options) => table.keys(options), false],
  ['values', (options) => table.values(options), false],
  ['count', (options) => table.count(options), true],
]
const writes: [string, Call][] = [
  ['put', (options) => table.put('k', 'w', options)],
  ['delete', (options) => table.delete('k', options)],
  ['write', (options) => db.batch().put(table, 'k', 'w').write(options)],
]
const others: [string, Call, boolean][] = [
  ['snapshot', (options) => db.snapshot(options), true],
  ['transaction', (options) => db.transaction(async () => {}, options), true],
  ['evict', (options) => db.evict(options), true],
  ['warm', (options) => table.warm(options), true],
  ['table', (options) => db.table('other', options), false],
  ['open', (options) => open('memory:', options), true],
]
const all: [string, Call, boolean][] = [
  ...reads.map(([name, call]): [string, Call, boolean] => [name, call, true]),
  ...writes.map(([name, call]): [string, Call, boolean] => [name, call, true]),
  ...scans,
  ...others,
]

describe('options that are none', () => {
  test.each(all)('%s', async (name, call, isAsync) => {
    for (const options of [
      null,
      5,
      'prefix',
      true,
      [],
      new Date(),
      new Map(),
      Promise.resolve({}),
    ]) {
      await expectRefused(() => call(options), new RegExp(`options of ${name} must be`), {
        isAsync,
      })
    }
  })
})

describe('an option that does not exist is refused by its name', () => {
  test.each(all)('%s', async (name, call, isAsync) => {
    await expectRefused(
      () => call({ unknwon: 1 }),
      new RegExp(`${name} has no option "unknwon".*has`),
      {
        isAsync,
      },
    )
    // An undefined one is as misspelt as any other.
    await expectRefused(() => call({ unknwon: undefined }), /"unknwon"/, { isAsync })
  })

  test.each([
    [{ prefx: 'a' }, /"prefx" \(did you mean "prefix"\?\)/],
    [{ from: 'a' }, /"from".*gte/],
    [{ start: 'a', end: 'b' }, /"start".*gte/],
    [{ Limit: 5 }, /did you mean "limit"/],
    [{ revers: true }, /did you mean "reverse"/],
  ])('scan %j', async (options, message) => {
    await expectRefused(() => table.scan(options as Anything), message, { isAsync: false })
  })

  test.each([
    [{ asOf: 5 }, /"asOf".*at, fresh/],
    [{ frsh: true }, /did you mean "fresh"/],
  ])('get %j', async (options, message) => {
    await expectRefused(() => table.get('k', options as Anything), message)
  })

  test.each([
    [{ durabilty: 'buffered' }, /did you mean "durability"/],
    [{ ttlMs: 5 }, /put has no option "ttlMs"; it has durability, signal/],
    [{ ifAbsent: true }, /"ifAbsent"/],
    [{ sync: false }, /"sync"/],
  ])('put %j', async (options, message) => {
    await expectRefused(() => table.put('k', 'w', options as Anything), message)
  })

  test.each([
    [
      { cache: { memroyBytes: 5 } },
      /cache has no option "memroyBytes" \(did you mean "memoryBytes"/,
    ],
    [{ cache: { disk: { directory: 'x', bytes: 5, size: 5 } } }, /cache.disk has no option "size"/],
    [{ tuning: { blockbytes: 512 } }, /did you mean "blockBytes"/],
    [{ prices: { source: 'x' } }, /prices.s3/],
    [{ store: {} }, /open has no option "store"/],
  ])('open %j', async (options, message) => {
    await expectRefused(() => open('memory:', options as Anything), message)
  })

  test('of a snapshot’s and a transaction’s tables, too', async () => {
    await using snapshot = await db.snapshot()
    const read = snapshot.table('t', utf8)
    await expectRefused(() => read.get('k', { asOf: 1 } as Anything), /"asOf"/)
    await expectRefused(() => read.scan({ prefx: 'a' } as Anything), /"prefx"/, { isAsync: false })
    await expectRefused(() => snapshot.table('t', { kyes: 'utf8' } as Anything), /"keys"/, {
      isAsync: false,
    })
    await db.transaction(async (tx) => {
      const mine = tx.table('t', utf8) as Anything
      await expectRefused(() => mine.get('k', { asOf: 1 }), /"asOf"/)
      await expectRefused(() => mine.keys({ prefx: 'a' }), /"prefx"/, { isAsync: false })
      await expectRefused(() => mine.put('k', 'w', { ttlMs: 5 }), /put takes no options in a trans/)
      await expectRefused(() => mine.delete('k', {}), /delete takes no options in a transaction/)
    })
  })

  test('where a program gave every object a member, calls go on', async () => {
    Object.defineProperty(Object.prototype, 'extra', {
      value: 1,
      enumerable: true,
      configurable: true,
      writable: true,
    })
    try {
      expect(await table.get('k', {})).toBe('v')
      expect(await table.count({ prefix: 'k' })).toBe(1)
    } finally {
      delete (Object.prototype as Anything).extra
    }
  })

  test('options may be of a class, or without a prototype', async () => {
    class Page {
      readonly limit = 5
      readonly prefix = 'k'
    }
    expect(await table.scan(new Page()).toArray()).toEqual([['k', 'v']])
    expect(await table.get('k', Object.assign(Object.create(null), { fresh: true }))).toBe('v')
  })
})

/** All members of an options object, each of them undefined. */
type Unset<T> = { readonly [Name in keyof Required<T>]: undefined }

describe('an option that is undefined means its default', () => {
  const read: Unset<ReadOptions> = {
    at: undefined,
    fresh: undefined,
    copy: undefined,
    signal: undefined,
  }
  const range: Unset<Range<string>> = {
    gt: undefined,
    gte: undefined,
    lt: undefined,
    lte: undefined,
    prefix: undefined,
  }
  const scan: Unset<ScanOptions<string>> = {
    ...read,
    ...range,
    reverse: undefined,
    limit: undefined,
  }
  const write: Unset<WriteOptions> = { durability: undefined, signal: undefined }

  test('of reads', async () => {
    await table.put('l', 'w')
    expect(await table.get('k', read)).toBe('v')
    expect(await table.has('k', read)).toBe(true)
    expect(await table.getMany(['k'], read)).toEqual(['v'])
    const rows = [
      ['k', 'v'],
      ['l', 'w'],
    ]
    expect(await table.scan(scan).toArray()).toEqual(rows)
    expect(await table.keys(scan).toArray()).toEqual(['k', 'l'])
    expect(await table.values(scan).toArray()).toEqual(['v', 'w'])
    expect(await table.count(scan)).toBe(2)
    expect((await table.warm(range, { signal: undefined })).blocks).toBe(0)
    await using snapshot = await db.snapshot({ at: undefined, signal: undefined })
    expect(snapshot.version).toBe(db.version)
    expect(await snapshot.table('t', utf8).scan(scan).toArray()).toEqual(rows)
  })

  test('of writes and transactions', async () => {
    await table.put('l', 'w', write)
    await table.delete('l', write)
    await db.batch().put(table, 'm', 'x').write(write)
    expect(await table.keys().toArray()).toEqual(['k', 'm'])
    const options: Unset<TransactionOptions> = {
      isolation: undefined,
      attempts: undefined,
      signal: undefined,
    }
    expect(await db.transaction((tx) => tx.table('t', utf8).get('m', read), options)).toBe('x')
    const evict: Unset<EvictOptions> = { memory: undefined, disk: undefined }
    await db.evict(evict)
  })

  test('of a table, new and known', async () => {
    const options: Unset<TableOptions<string, string>> = {
      keys: undefined,
      values: undefined,
      history: undefined,
      compression: undefined,
      compaction: undefined,
    }
    await db.table('plain', options).put(new Uint8Array([1]), new Uint8Array([2]))
    const described = { history: { durationMs: 86_400_000 }, compression: 'lz4' }
    expect(await db.tables()).toMatchObject([
      { name: 'plain', keys: 'bytes', values: 'bytes', ...described },
      { name: 't', keys: 'utf8', values: 'utf8', ...described },
    ])
    const known = db.table<string, string>('t', { ...options })
    expect(await known.get('k')).toBe('v')
  })

  test('of open, of parts, and of what lies in them', async () => {
    const tuning: Unset<Tuning> = {
      blockBytes: undefined,
      targetFileBytes: undefined,
      levelBaseBytes: undefined,
      level0Trigger: undefined,
      level0Slowdown: undefined,
      level0Stop: undefined,
      inlineLimitBytes: undefined,
      sliceMs: undefined,
      pageRows: undefined,
    }
    const none: Unset<OpenOptions> = {
      mode: undefined,
      createIfMissing: undefined,
      cache: undefined,
      memtableBytes: undefined,
      maxStalenessMs: undefined,
      flushIntervalMs: undefined,
      compaction: undefined,
      logger: undefined,
      env: undefined,
      prices: undefined,
      signal: undefined,
      tuning: undefined,
    }
    const cache = { memoryBytes: undefined, disk: undefined }
    const directory = tempDirectory()
    const parts = { store: new MemoryObjectStore(), log: new MemoryCommitLog() }
    const places: Parameters<typeof open>[] = [
      ['memory:', none],
      [`file:${join(directory, 'db')}`, { ...none, cache, tuning }],
      [{ ...parts, ...none, leases: undefined, cacheFiles: undefined }, none],
    ]
    for (const place of places) {
      await using opened = await open(...place)
      await opened.table('t', utf8).put('k', 'v')
      await opened.compact()
      expect(await opened.table('t', utf8).get('k')).toBe('v')
      expect((await opened.stats()).cache.bytes).toBe(256 * 1024 * 1024)
    }
  })

  test('and leaves what the parts say as it is', async () => {
    const env = new TestEnv()
    const parts = { store: new MemoryObjectStore(), log: new MemoryCommitLog(), env }
    await using opened = await open(parts, { env: undefined })
    const { timestamp } = await opened.table('t', utf8).put('k', 'v')
    expect(timestamp).toBeLessThan(env.now() + 1000)
  })
})

describe('values that cannot be meant', () => {
  test.each([
    [{ at: '2020' }, /at must be a valid Date.*got "2020"/],
    [{ at: 5 }, /at must be .* got 5/],
    [{ at: null }, /got null/],
    [{ at: new Date(Number.NaN) }, /invalid Date/],
    [{ at: {} }, /at must be/],
    [{ at: { version: 1.5 } }, /version: 1.5/],
    [{ at: { version: -1 } }, /version: -1/],
    [{ at: { version: '1' } }, /version: "1"/],
    [{ at: { version: 1n } }, /version: 1n/],
    [{ at: { timestamp: Number.NaN } }, /timestamp: NaN/],
    [{ at: { date: new Date() } }, /"date"/],
    [{ at: { version: 1, when: 5 } }, /"when"/],
    [{ at: { version: 2, timestamp: 5 } }, /contradict/],
    [{ fresh: 1 }, /fresh must be true or false, got 1/],
    [{ copy: 'yes' }, /copy must be/],
    [{ signal: {} }, /signal must be an AbortSignal/],
    [{ signal: null }, /signal must be an AbortSignal/],
    [{ signal: new AbortController() }, /signal must be an AbortSignal.*AbortController/],
  ])('of reads: %o', async (options, message) => {
    for (const [, call] of reads) await expectRefused(() => call(options), message)
    await expectRefused(() => table.scan(options as Anything).toArray(), message, {
      isAsync: /contradict/.test(message.source),
    })
  })

  test('a commit and a snapshot, which have version and timestamp, are moments', async () => {
    const commit = await table.put('k', 'new')
    await table.put('k', 'newer')
    await using snapshot = await db.snapshot({ at: commit })
    expect(await table.get('k', { at: commit })).toBe('new')
    expect(await table.get('k', { at: snapshot })).toBe('new')
    await using later = await db.snapshot({ at: new Date(Date.now() + 1000) })
    expect(await table.get('k', { at: later })).toBe('newer')
    await table.put('k', 'v')
    await expectRefused(
      () => table.get('k', { at: { version: commit.version, timestamp: commit.timestamp + 1e9 } }),
      /contradict/,
    )
  })

  test.each([
    [{ limit: '5' }, /limit must be a whole number from 0 on, got "5"/],
    [{ limit: -1 }, /limit/],
    [{ limit: Number.NaN }, /limit/],
    [{ limit: null }, /limit.*null/],
    [{ limit: 5n }, /limit.*5n/],
    [{ reverse: 1 }, /reverse must be true or false/],
    [{ gt: 'a', gte: 'b' }, /either gt or gte/],
    [{ lt: 'a', lte: 'b' }, /either lt or lte/],
    [{ prefix: 'a', gte: 'b' }, /either a prefix or/],
    [{ prefix: 'a', lt: 'b' }, /either a prefix or/],
    [{ gte: 5 }, /expected a string for the utf8 encoding, got a number/],
    [{ prefix: null }, /got null/],
  ])('of scans: %o', async (options, message) => {
    for (const [, call, isAsync] of scans)
      await expectRefused(() => call(options), message, { isAsync })
  })

  test.each([
    [{ durability: 'sync' }, /durability must be 'durable' or 'buffered', got "sync"/],
    [{ durability: true }, /durability/],
    [{ durability: null }, /durability/],
    [{ durability: 5n }, /durability/],
    [{ signal: 5 }, /signal/],
  ])('of writes: %o', async (options, message) => {
    for (const [, call] of writes) await expectRefused(() => call(options), message)
  })

  test.each([
    ['history', { durationMs: 0 }],
    ['history', { durationMs: -5 }],
    ['history', { durationMs: 1, versions: 3 }],
    ['history', { durationMs: 1.5 }],
    ['history', { versions: 0 }],
    ['history', { versions: '3' }],
    ['history', { durationMs: 1, version: 3 }],
    ['history', {}],
    ['history', null],
    ['history', 'some'],
    ['history', 5n],
    ['compression', 'zip'],
    ['compression', null],
    ['compaction', 'tiered'],
    ['keys', 'json'],
    ['keys', 'utf-8'],
    ['keys', null],
    ['keys', {}],
    ['values', 5],
    ['values', { encode: () => new Uint8Array(0) }],
    ['values', { name: 5, encode: () => new Uint8Array(0), decode: (): number => 5 }],
    ['values', { name: '', encode: () => new Uint8Array(0), decode: (): number => 5 }],
    ['values', { name: {}, encode: () => new Uint8Array(0), decode: (): number => 5 }],
    ['values', { name: 'x'.repeat(300), encode: () => new Uint8Array(0), decode: (): number => 5 }],
    ['keys', { encode: () => new Uint8Array(0), decode: (): number => 5, encodePrefix: 'a' }],
  ])('of a table: %s', async (name, value) => {
    await expectRefused(() => db.table('other', { [name]: value } as Anything), new RegExp(name), {
      isAsync: false,
    })
    await expectRefused(
      () => db.transaction(async (tx) => void tx.table('other', { [name]: value } as Anything)),
      new RegExp(name),
    )
  })

  test('an encoding that returns no bytes, or throws: that write fails, and no other', async () => {
    const returns = (value: unknown): Table<Anything, Anything> =>
      db.table('odd', {
        keys: 'utf8',
        values: { encode: () => value, decode: (): number => 5 } as Anything,
      })
    for (const value of [undefined, 'text', [1], new ArrayBuffer(3), Promise.resolve(5)]) {
      await expectRefused(() => returns(value).put('k', 1), /must return a Uint8Array/)
    }
    const throws = {
      encode: () => {
        throw new RangeError('mine')
      },
      decode: (): number => 5,
    }
    const mine = db.table('odd', { keys: 'utf8', values: throws as Anything })
    await expect(mine.put('k', 1)).rejects.toThrow('mine')
    await table.put('k', 'v')
  })

  test.each([
    [{ mode: 'append' }, /mode must be 'write' or 'read'/],
    [{ createIfMissing: 'no' }, /createIfMissing/],
    [{ cache: null }, /cache must be/],
    [{ cache: { memoryBytes: '1' } }, /cache.memoryBytes/],
    [{ cache: { disk: { directory: 'x' } } }, /cache.disk.bytes is missing/],
    [{ memtableBytes: 5 }, /memtableBytes/],
    [{ memtableBytes: 2 ** 40 }, /memtableBytes must be a whole number from 1024 to 1073741824/],
    [{ maxStalenessMs: -1 }, /maxStalenessMs/],
    [{ compaction: 'on' }, /compaction/],
    [{ logger: null }, /logger/],
    [{ logger: { debug: () => {} } }, /logger.warn/],
    [{ env: { now: () => 5 } }, /env/],
    [{ signal: 'x' }, /signal/],
    [{ tuning: { blockBytes: 1 } }, /tuning.blockBytes/],
    [{ tuning: { level0Stop: 0 } }, /tuning.level0Stop/],
    [{ tuning: { inlineLimitBytes: 2 ** 40 } }, /tuning.inlineLimitBytes/],
  ])('of open: %o', async (options, message) => {
    await expectRefused(() => open('memory:', options as Anything), message)
  })

  test.each([
    [{ isolation: 'dirty' }, /isolation must be 'serializable' or 'snapshot'/],
    [{ attempts: 0 }, /attempts/],
    [{ attempts: '5' }, /attempts/],
    [{ signal: {} }, /signal/],
  ])('of a transaction: %j', async (options, message) => {
    await expectRefused(() => db.transaction(async () => {}, options as Anything), message)
  })

  test('of evict and warm', async () => {
    await expectRefused(() => db.evict({ memory: 1 } as Anything), /memory must be/)
    await expectRefused(() => table.warm({ at: 5 } as Anything), /warm has no option "at"/)
    await expectRefused(() => table.warm({}, { sgnal: 5 } as Anything), /"sgnal"/)
    await expectRefused(() => table.warm({ gt: 'a', gte: 'b' }), /either gt or gte/)
  })
})

describe('arguments in the wrong place', () => {
  test.each([undefined, null, 5, ['k'], { name: 't' }, Symbol('t'), 5n])(
    'a table without a name: %s',
    async (name) => {
      await expectRefused(() => db.table(name as Anything), /not a table name/, { isAsync: false })
      await expectRefused(() => db.dropTable(name as Anything), /not a table name/)
    },
  )

  test('a transaction or explain without a function', async () => {
    const swapped: Anything = [{ attempts: 1 }, async () => {}]
    await expectRefused(
      () => db.transaction(swapped[0], swapped[1]),
      /transaction takes a function/,
    )
    await expectRefused(() => (db as Anything).transaction(), /transaction takes a function/)
    await expectRefused(() => (db as Anything).explain(table.get('k')), /explain takes a function/)
  })

  test('getMany of one key, or of a Set', async () => {
    for (const keys of ['k', undefined, new Set(['k']), { length: 1 }] as Anything[]) {
      await expectRefused(() => table.getMany(keys), /getMany takes an array of keys/)
      await db.transaction(async (tx) => {
        await expectRefused(() => tx.table('t', utf8).getMany(keys), /getMany takes an array/)
      })
    }
  })

  test('43: a key or a value that is an argument too many is in no message', async () => {
    const any: Anything = table
    const calls: (() => unknown)[] = [
      () => any.scan('secret'),
      () => any.getMany('secret'),
      () => any.get('k', 'secret'),
      () => any.put('k', 'v', 'secret'),
      () => any.getSync('k', 'secret'),
      () => (db.batch() as Anything).delete(table, 'k', 'secret'),
      () => (db.transaction as Anything)('secret'),
      () => any.scan({ gte: ['secret'] }),
      () => any.put(['secret'], 'v'),
      () => db.table('raw').get('secret' as Anything),
    ]
    for (const call of calls) {
      const error = await (async () => call())().catch((error: unknown) => error)
      expect(error).toMatchObject({ code: 'FIRN_INVALID_ARGUMENT' })
      expect(inspect(error)).not.toContain('secret')
    }
  })

  test('options of calls that have none', async () => {
    const any: Anything = db
    await expectRefused(
      () => (table as Anything).getSync('k', { at: 5 }),
      /getSync takes no options/,
      {
        isAsync: false,
      },
    )
    for (const name of ['refresh', 'flush', 'compact']) {
      await expectRefused(() => any[name]({ table: 't' }), new RegExp(`${name} takes no options`))
    }
    await expectRefused(() => any.dropTable('t', { ifExists: true }), /dropTable takes no options/)
    const batch: Anything = db.batch()
    await expectRefused(() => batch.put(table, 'k', 'w', { ttlMs: 5 }), /put takes no options/, {
      isAsync: false,
    })
    await expectRefused(() => batch.delete(table, 'k', {}), /delete takes no options/, {
      isAsync: false,
    })
  })

  test('a batch is given tables of its own database', async () => {
    await using other = await open('memory:')
    await using snapshot = await db.snapshot()
    const tables = [other.table('t'), snapshot.table('t'), 't', undefined, null, {}]
    for (const given of tables as Anything[]) {
      for (const call of ['put', 'delete']) {
        const batch = db.batch() as Anything
        const rest = call === 'put' ? ['k', 'v'] : ['k']
        await expectRefused(() => batch[call](given, ...rest), /handle from the same database/, {
          isAsync: false,
        })
      }
    }
  })

  test.each([
    [undefined, /open takes a location such as "file:.*got undefined/],
    [null, /got null/],
    [5, /got 5/],
    [{}, /with both parts/],
    [{ store: undefined, log: undefined }, /store must be an object/],
    [new URL('file:///tmp/x'), /pass its href/],
    [['memory:'], /open takes a location/],
    ['', /not a location/],
    ['./data', /put 'file:' in front/],
  ])('open(%s)', async (location, message) => {
    await expectRefused(() => open(location as Anything), message)
  })
})

describe('a location where there is no database', () => {
  const directory = tempDirectory(afterAll)

  test.each([{ mode: 'read' }, { createIfMissing: false }] as const)(
    'is named, with what to do: %j',
    async (options) => {
      const location = `file:${join(directory, 'absent')}`
      const error = await errorOf(() => open(location, options), true)
      expect(error).toMatchObject({ code: 'FIRN_DATABASE_NOT_FOUND' })
      expect(error.message).toContain(JSON.stringify(location))
      expect(error.message).toMatch(/createIfMissing: true/)
    },
  )
})
