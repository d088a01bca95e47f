import { MemoryCommitLog, MemoryLogStorage } from '@firn/commit-log'
import { MemoryObjectStore } from '@firn/object-store'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Encoding } from '../../src/index.js'
import { type Database, open, type Table } from '../../src/index.js'

const bytes = (text: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text)
const text = (value: Uint8Array | undefined): string | undefined =>
  value === undefined ? undefined : new TextDecoder().decode(value)

const LETTERS = [...'abcdefgh']

/** Encodes everything into the same array, as a writer that saves allocations does. */
function scratchEncoding(name = 'scratch', scratch = new Uint8Array(64)): Encoding<string> {
  return {
    name,
    encode: (value) =>
      scratch.subarray(0, new TextEncoder().encodeInto(value, scratch.fill(0)).written),
    decode: (stored) => new TextDecoder().decode(stored),
  }
}

let db: Database
let table: Table

/** Blocks are on disk and not in memory: reads wait. */
async function makeCold(): Promise<void> {
  await db.compact()
  await db.evict()
}

beforeEach(async () => {
  db = await open('memory:')
  table = db.table('t')
  for (const letter of LETTERS) await table.put(bytes(letter), bytes(letter))
})

afterEach(async () => {
  await db.close()
})

describe('a key array that is changed after the call', () => {
  const waits: [string, (at: number) => object | undefined][] = [
    ['cold', () => undefined],
    ['fresh', () => ({ fresh: true })],
    ['at a version', (version) => ({ at: { version } })],
  ]

  for (const [name, optionsOf] of waits) {
    test(`get, has and getMany read what was asked for (${name})`, async () => {
      await makeCold()
      const options = optionsOf(db.version)
      const key = bytes('b')
      const keys = [bytes('c'), bytes('z'), bytes('d')]
      const got = table.get(key, options)
      const many = table.getMany(keys, options)
      key.set(bytes('z'))
      const has = table.has(key, options)
      for (const each of keys) each.set(bytes('h'))
      keys.length = 1
      key.set(bytes('a'))
      expect(text(await got)).toBe('b')
      expect((await many).map(text)).toEqual(['c', undefined, 'd'])
      expect(await has).toBe(false)
    })

    test(`getMany of one array used for all keys reads each (${name})`, async () => {
      await makeCold()
      const options = optionsOf(db.version)
      const key = bytes('a')
      const found: Promise<Uint8Array | undefined>[] = []
      for (const letter of LETTERS) {
        key.set(bytes(letter))
        found.push(table.get(key, options))
      }
      expect((await Promise.all(found)).map(text)).toEqual(LETTERS)
    })
  }

  test('in a snapshot', async () => {
    await makeCold()
    await using snapshot = await db.snapshot()
    const key = bytes('b')
    const got = snapshot.table('t').get(key)
    const has = snapshot.table('t').has(key)
    key.set(bytes('z'))
    expect(text(await got)).toBe('b')
    expect(await has).toBe(true)
  })

  test('elements of a tuple key', async () => {
    const tuples = db.table('tuples', { keys: 'tuple', values: 'utf8' })
    const when = new Date(0)
    await tuples.put([bytes('a'), when, ['x']], 'found')
    await makeCold()
    const key: [Uint8Array, Date, string[]] = [bytes('a'), new Date(0), ['x']]
    const got = tuples.get(key)
    key[0].set(bytes('b'))
    key[1].setTime(5)
    key[2].push('y')
    key.length -= 2
    expect(await got).toBe('found')
  })

  test('a write that waits for a dropTable, or a table to come', async () => {
    const other = db.table('other')
    await other.put(bytes('k'), bytes('v'))
    const dropping = db.dropTable('other')
    await Promise.resolve()
    const [key, value] = [bytes('k'), bytes('1')]
    const puts: Promise<unknown>[] = []
    for (const letter of LETTERS) {
      key.set(bytes(letter))
      value.set(bytes(letter))
      puts.push(table.put(key, value))
    }
    key.set(bytes('~'))
    value.set(bytes('~'))
    await Promise.all([dropping, ...puts])
    expect((await table.scan().toArray()).map(([k, v]) => `${text(k)}${text(v)}`)).toEqual(
      LETTERS.map((letter) => letter + letter),
    )
  })
})

describe('options that are changed after the call', () => {
  test('bounds of a scan are those of the call, not of the first row', async () => {
    const [gte, lt] = [bytes('a'), bytes('c')]
    const scan = table.keys({ gte, lt })
    gte.set(bytes('e'))
    lt.set(bytes('g'))
    expect((await scan.toArray()).map(text)).toEqual(['a', 'b'])
    // And again: each loop over a scan reads the same range.
    expect((await scan.toArray()).map(text)).toEqual(['a', 'b'])
  })

  test('prefix, limit, direction and moment of a scan are those of the call', async () => {
    const { version } = await table.put(bytes('b'), bytes('new'))
    const at = { version: version - 1 }
    const options = { prefix: bytes('b'), limit: 1, reverse: false, at }
    const scan = table.scan(options)
    const counted = table.count(options)
    options.prefix.set(bytes('h'))
    at.version = version
    Object.assign(options, { limit: 0, reverse: true, at: undefined })
    expect((await scan.toArray()).map(([, value]) => text(value))).toEqual(['b'])
    expect(await counted).toBe(1)
  })

  test('a Date, and the signal, of reads that wait', async () => {
    await makeCold()
    const at = new Date(Date.now() + 60_000)
    const options: { at: Date; signal?: AbortSignal } = { at }
    const got = table.get(bytes('b'), options)
    at.setTime(0)
    options.signal = AbortSignal.abort(new Error('given up'))
    expect(text(await got)).toBe('b')
  })

  test('the range of warm, and the options of snapshot, transaction and batch', async () => {
    await db.compact()
    await db.evict()
    const range = { gte: bytes('a'), lt: bytes('c') }
    const warming = table.warm(range)
    range.gte.set(bytes('~'))
    range.lt.set(bytes('~'))
    expect(await warming).toMatchObject({ blocks: 1 })

    const at = { version: 1 }
    const taking = db.snapshot({ at })
    at.version = 1000
    await using snapshot = await taking
    expect(snapshot.version).toBe(1)

    const options: { attempts: number; isolation: 'snapshot' | 'serializable' } = {
      attempts: 1,
      isolation: 'serializable',
    }
    let runs = 0
    const transaction = db.transaction(async (tx) => {
      runs++
      await tx.table('t').get(bytes('a'))
      await table.put(bytes('a'), bytes('other'))
      await tx.table('t').put(bytes('z'), bytes('z'))
    }, options)
    options.attempts = 5
    options.isolation = 'snapshot'
    await expect(transaction).rejects.toMatchObject({ code: 'FIRN_TRANSACTION_CONFLICT' })
    expect(runs).toBe(1)
  })

  test('options of open and of a table', async () => {
    const tuning = { level0Trigger: 4 }
    const cache = { memoryBytes: 1024 * 1024 }
    const opening = open('memory:', { tuning, cache })
    tuning.level0Trigger = -1
    cache.memoryBytes = -1
    await using other = await opening
    const history: { versions: number } = { versions: 3 }
    const values = { ...scratchEncoding('mine') }
    const options = { keys: 'utf8' as const, values, history }
    const made = other.table('t', options)
    history.versions = 0
    Object.assign(values, { name: 7 })
    Object.assign(options, { keys: 'tuple' })
    await made.put('k', 'v')
    expect(await other.tables()).toMatchObject([
      { keys: 'utf8', values: 'mine', history: { versions: 3 } },
    ])
  })
})

describe('an encoding that returns the same array each time', () => {
  for (const [name, options] of [
    ['keys', { keys: scratchEncoding(), values: 'utf8' }],
    ['keys and values, of one array', shared()],
  ] as const) {
    test(`for ${name}`, async () => {
      const made = db.table<string, string>('scratch', options as never)
      await Promise.all(LETTERS.map((letter) => made.put(letter, letter.repeat(3))))
      const batch = db.batch()
      batch.put(made, 'p', 'batch').put(made, 'q', 'batch')
      await batch.write()
      await db.transaction(async (tx) => {
        const mine = tx.table<string, string>('scratch', options as never)
        await mine.put('r', 'transaction')
        expect(await mine.getMany(['a', 'r', 'b'])).toEqual(['aaa', 'transaction', 'bbb'])
      })
      await makeCold()
      expect(await made.getMany(LETTERS)).toEqual(LETTERS.map((letter) => letter.repeat(3)))
      await db.evict()
      expect(await Promise.all(LETTERS.map((letter) => made.get(letter)))).toEqual(
        LETTERS.map((letter) => letter.repeat(3)),
      )
      expect(await made.keys({ gte: 'b', lt: 'd' }).toArray()).toEqual(['b', 'c'])
      expect(await made.scan({ prefix: 'p' }).toArray()).toEqual([['p', 'batch']])
    })
  }

  function shared(): { keys: Encoding<string>; values: Encoding<string> } {
    const scratch = new Uint8Array(64)
    return { keys: scratchEncoding('k', scratch), values: scratchEncoding('v', scratch) }
  }
})

describe('a table whose encodings are known only after a look at the log', () => {
  /** Two processes of one database: the second hasn't seen the table when it is asked. */
  async function twoProcesses(): Promise<[Database, Database]> {
    const store = new MemoryObjectStore()
    const storage = new MemoryLogStorage()
    const log = (): MemoryCommitLog => new MemoryCommitLog({ storage })
    const first = await open({ store, log })
    return [first, await open({ store, log }, { maxStalenessMs: 1e9 })]
  }

  test('keys are those of the call', async () => {
    const [first, second] = await twoProcesses()
    await using _first = first
    await using _second = second
    const when = new Date(5)
    await first.table('raw').put(bytes('b'), bytes('raw'))
    await first.table('text', { keys: 'utf8', values: 'utf8' }).put('b', 'text')
    await first
      .table('tuple', { keys: 'tuple', values: 'utf8' })
      .put(['b', when, bytes('x')], 'tuple')

    const key = bytes('b')
    const tuple = ['b', new Date(5), bytes('x')] as [string, Date, Uint8Array]
    const [raw, texts] = [second.table('raw'), second.table<string, string>('text')]
    const tuples = second.table<unknown[], string>('tuple')
    const reads = [
      raw.get(key, { fresh: true }),
      texts.get('b', { fresh: true }),
      tuples.get(tuple, { fresh: true }),
    ] as const
    key.set(bytes('z'))
    tuple[1].setTime(7)
    tuple[2].set(bytes('y'))
    expect(text((await reads[0]) as Uint8Array)).toBe('raw')
    expect(await reads[1]).toBe('text')
    expect(await reads[2]).toBe('tuple')
  })

  test('bounds are those of the call', async () => {
    const [first, second] = await twoProcesses()
    await using _first = first
    await using _second = second
    await first.table('t', { keys: 'tuple', values: 'utf8' }).put([bytes('b'), 1], 'b')
    const prefix = [bytes('b')] as const
    const scan = second.table<unknown[], string>('t').scan({ prefix: [...prefix], fresh: true })
    prefix[0].set(bytes('z'))
    expect((await scan.toArray()).map(([, value]) => value)).toEqual(['b'])
    expect(await second.table<string, string>('t').count({ limit: 1 } as never)).toBe(1)
  })

  test('a key that the table’s encoding refuses is refused when that is known', async () => {
    const [first, second] = await twoProcesses()
    await using _first = first
    await using _second = second
    await first.table('t', { keys: 'utf8', values: 'utf8' }).put('b', 'text')
    await expect(second.table('t').get(bytes('b'), { fresh: true })).rejects.toThrow(
      /expected a string/,
    )
  })
})

describe('transactions', () => {
  const KEYS = Array.from({ length: 31 }, (_, i) => `k${String(i).padStart(2, '0')}`)

  async function count(): Promise<number> {
    return (await db.table('rows', { keys: 'utf8', values: 'json' }).keys().toArray()).length
  }

  /** Adds up the rows page by page; another writer adds a row to the first page in between. */
  async function total<K>(
    pages: (
      last: K | undefined,
      tx: Parameters<Parameters<Database['transaction']>[0]>[0],
    ) => Promise<K[]>,
  ): Promise<{ total: number; attempts: number }> {
    const rows = db.table('rows', { keys: 'utf8', values: 'json' })
    for (const key of KEYS.slice(0, 30)) await rows.put(key, 1)
    const totals = db.table('totals', { keys: 'utf8', values: 'json' })
    let attempts = 0
    await db.transaction(async (tx) => {
      attempts++
      let sum = 0
      let last: K | undefined
      for (;;) {
        const page = await pages(last, tx)
        sum += page.length
        if (page.length === 0) break
        last = page.at(-1)
      }
      if (attempts === 1) await rows.put('k005', 1)
      await tx.table('totals', { keys: 'utf8', values: 'json' }).put('total', sum)
    })
    return { total: (await totals.get('total')) as number, attempts }
  }

  test('paging with one options object counts every row, or runs again', async () => {
    const page: { gt?: string; limit: number } = { limit: 10 }
    const { total: sum, attempts } = await total<string>((last, tx) => {
      if (last === undefined) delete page.gt
      else page.gt = last
      return tx.table('rows', { keys: 'utf8', values: 'json' }).keys(page).toArray()
    })
    expect(sum).toBe(await count())
    expect(attempts).toBe(2)
  })

  test('paging with one byte array as the bound counts every row, or runs again', async () => {
    const gt = new Uint8Array(3)
    const { total: sum, attempts } = await total<Uint8Array>((last, tx) => {
      gt.set(last ?? [0, 0, 0])
      const options = { gt, limit: 10 }
      const raw = { name: 'utf8', encode: (b: Uint8Array) => b, decode: (b: Uint8Array) => b }
      return tx.table('rows', { keys: raw, values: 'json' }).keys(options).toArray()
    })
    expect(sum).toBe(await count())
    expect(attempts).toBe(2)
  })

  test.each(['prefix', 'gte'] as const)(
    'one byte array as the %s of several scans',
    async (bound) => {
      let attempts = 0
      const range = bytes('a')
      await db.transaction(async (tx) => {
        attempts++
        const mine = tx.table('t')
        let sum = 0
        for (const letter of ['a', 'e']) {
          range.set(bytes(letter))
          const options = bound === 'prefix' ? { prefix: range } : { gte: range, limit: 2 }
          sum += (await mine.scan(options).toArray()).length
        }
        if (attempts === 1) await table.put(bytes('aa'), bytes('new'))
        await mine.put(bytes('sum'), bytes(String(sum)))
      })
      expect(attempts).toBe(2)
    },
  )

  test.each([
    ['get', bytes('a')],
    ['has', bytes('a')],
    ['getMany', bytes('a')],
    ['getSync', bytes('a')],
    // A Buffer's `slice` is a view and no copy.
    ['get', Buffer.from('a')],
    ['getMany', Buffer.from('a')],
  ] as const)('one byte array as the key of several reads by %s', async (call, key) => {
    let attempts = 0
    await db.transaction(async (tx) => {
      attempts++
      const mine = tx.table('t') as unknown as Table
      for (const letter of LETTERS) {
        key.set(bytes(letter))
        if (call === 'getMany') await mine.getMany([key])
        else if (call === 'getSync') mine.getSync(key)
        else await mine[call](key)
      }
      key.set(bytes('~'))
      if (attempts === 1) await table.put(bytes('c'), bytes('new'))
      await mine.put(bytes('z'), bytes('z'))
    })
    expect(attempts).toBe(2)
  })

  test('keys and values written from one array are each their own', async () => {
    const [key, value] = [bytes('a'), bytes('1')]
    await db.transaction(async (tx) => {
      const mine = tx.table('t')
      const writes: Promise<void>[] = []
      for (const letter of LETTERS) {
        key.set(bytes(letter))
        value.set(bytes(letter))
        writes.push(mine.put(key, value))
      }
      key.set(bytes('~'))
      value.set(bytes('~'))
      await Promise.all(writes)
    })
    expect((await table.values().toArray()).map(text)).toEqual(LETTERS)
  })
})
