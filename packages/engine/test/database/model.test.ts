import { LONG } from '@firn/test-support'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Database, isFirnError, type Table } from '../../src/index.js'
import { makePlace, PLACE_KINDS, type PlaceKind, TINY } from '../support/locations.js'

const RUNS = LONG ? 500 : 60

// A commit to a log of objects syncs five times: these runs take longest.
const SHARES: Record<PlaceKind, number> = { memory: 0.4, file: 0.4, objects: 0.2 }

const TABLES = ['users', 'events'] as const
type TableName = (typeof TABLES)[number]
type State = Record<TableName, Map<string, string>>
type Write = { table: TableName; key: string; value: string | undefined }

const table = fc.constantFrom(...TABLES)
// A small alphabet, so that keys are written again, and prefixes and gaps are common.
const key = fc.string({ unit: fc.constantFrom('a', 'b', 'c', '\0', 'é'), maxLength: 4 })
const value = fc.oneof(
  { weight: 8, arbitrary: fc.string({ maxLength: 20 }) },
  { weight: 1, arbitrary: fc.nat(900).map((length) => 'x'.repeat(length)) },
)
const write = fc.record({
  table,
  key,
  value: fc.option(value, { nil: undefined, freq: 4 }),
})
const range = fc.oneof(
  fc.constant({}),
  fc.record({ prefix: key }),
  fc
    .tuple(
      fc.constantFrom('gt', 'gte', undefined),
      fc.constantFrom('lt', 'lte', undefined),
      fc.tuple(key, key),
    )
    .map(([lower, upper, [a, b]]) => ({
      ...(lower !== undefined && { [lower]: a }),
      ...(upper !== undefined && { [upper]: b }),
    })),
)
const scan = fc.record({
  table,
  range,
  reverse: fc.boolean(),
  limit: fc.option(fc.nat(6), { nil: undefined }),
})
const step = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({ do: fc.constant('write' as const), write, buffered: fc.boolean() }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('batch' as const),
      writes: fc.array(write, { maxLength: 12 }),
      buffered: fc.boolean(),
    }),
  },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('get' as const), table, key }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('getMany' as const),
      table,
      keys: fc.array(key, { maxLength: 5 }),
    }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('scan' as const), scan }) },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant('getAt' as const), table, key, age: fc.nat(30) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant('scanAt' as const), scan, age: fc.nat(30) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('snapshot' as const),
      age: fc.option(fc.nat(30), { nil: undefined }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('flush' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('compact' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('reopen' as const) }) },
)
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never

interface Past {
  version: number
  timestamp: number
  state: State
}

class Run {
  readonly #place
  #db!: Database
  #tables!: Record<TableName, Table<string, string>>
  #state: State = { users: new Map(), events: new Map() }
  /** The state as of each version that a write was given. */
  readonly #past: Past[] = []
  readonly #snapshots: { check: () => Promise<void>; close: () => Promise<void> }[] = []

  constructor(kind: PlaceKind) {
    this.#place = makePlace(kind)
  }

  async open(): Promise<void> {
    this.#db = await this.#place.open(TINY)
    const typed = { keys: 'utf8', values: 'utf8', history: 'all' } as const
    this.#tables = {
      users: this.#db.table<string, string>('users', typed),
      events: this.#db.table<string, string>('events', { ...typed, compression: 'deflate' }),
    }
  }

  async end(): Promise<void> {
    for (const { check, close } of this.#snapshots) {
      await check()
      await close()
    }
    await this.#db.close()
  }

  async take(s: Step): Promise<void> {
    switch (s.do) {
      case 'write': {
        const { table, key, value } = s.write
        const options = { durability: s.buffered ? 'buffered' : 'durable' } as const
        const commit =
          value === undefined
            ? await this.#tables[table].delete(key, options)
            : await this.#tables[table].put(key, value, options)
        return this.#wrote([s.write], commit)
      }
      case 'batch': {
        const batch = this.#db.batch()
        for (const { table, key, value } of s.writes) {
          if (value === undefined) batch.delete(this.#tables[table], key)
          else batch.put(this.#tables[table], key, value)
        }
        const durability = s.buffered ? 'buffered' : 'durable'
        const commit = await batch.write({ durability })
        if (s.writes.length > 0) this.#wrote(s.writes, commit)
        return
      }
      case 'get': {
        const expected = this.#state[s.table].get(s.key)
        expect(await this.#tables[s.table].get(s.key)).toBe(expected)
        expect(await this.#tables[s.table].has(s.key)).toBe(expected !== undefined)
        try {
          expect(this.#tables[s.table].getSync(s.key)).toBe(expected)
        } catch (error) {
          if (!isFirnError(error, 'FIRN_NOT_RESIDENT')) throw error
        }
        return
      }
      case 'getMany': {
        const expected = s.keys.map((k) => this.#state[s.table].get(k))
        expect(await this.#tables[s.table].getMany(s.keys)).toEqual(expected)
        return
      }
      case 'scan':
        expect(await this.#scan(s.scan)).toEqual(scanModel(this.#state, s.scan))
        return
      case 'getAt': {
        const past = this.#pastAt(s.age)
        if (past === undefined) return
        const expected = past.state[s.table].get(s.key)
        const { version, timestamp } = past
        const table = this.#tables[s.table]
        expect(await table.get(s.key, { at: { version } })).toBe(expected)
        expect(await table.get(s.key, { at: { timestamp } })).toBe(expected)
        return
      }
      case 'scanAt': {
        const past = this.#pastAt(s.age)
        if (past === undefined) return
        const at = { version: past.version }
        expect(await this.#scan(s.scan, at)).toEqual(scanModel(past.state, s.scan))
        return
      }
      case 'snapshot':
        return this.#takeSnapshot(s.age)
      case 'flush':
        return this.#db.flush()
      case 'compact':
        await this.#db.compact()
        return
      case 'reopen': {
        for (const { check, close } of this.#snapshots.splice(0)) {
          await check()
          await close()
        }
        await this.#db.close()
        await this.open()
      }
    }
  }

  async #takeSnapshot(age: number | undefined): Promise<void> {
    const past = age === undefined ? undefined : this.#pastAt(age)
    const state = past?.state ?? structuredClone(this.#state)
    const snapshot = await this.#db.snapshot(
      past === undefined ? {} : { at: { version: past.version } },
    )
    if (past !== undefined) expect(snapshot.version).toBe(past.version)
    const check = async (): Promise<void> => {
      for (const name of TABLES) {
        const table = snapshot.table<string, string>(name, { keys: 'utf8', values: 'utf8' })
        expect(await table.scan().toArray()).toEqual(
          scanModel(state, { table: name, range: {}, reverse: false, limit: undefined }),
        )
      }
    }
    this.#snapshots.push({ check, close: () => snapshot.close() })
  }

  #scan(s: ScanStep, at?: { version: number }): Promise<[string, string][]> {
    const rows = this.#tables[s.table].scan({
      ...(s.range as object),
      reverse: s.reverse,
      ...(s.limit === undefined ? {} : { limit: s.limit }),
      ...(at === undefined ? {} : { at }),
    })
    return collect(rows)
  }

  #wrote(writes: readonly Write[], commit: { version: number; timestamp: number }): void {
    for (const { table, key, value } of writes) {
      if (value === undefined) this.#state[table].delete(key)
      else this.#state[table].set(key, value)
    }
    const last = this.#past.at(-1)
    if (last !== undefined) expect(commit.version).toBeGreaterThanOrEqual(last.version)
    if (last?.version === commit.version) this.#past.pop()
    else if (last !== undefined) expect(commit.timestamp).toBeGreaterThan(last.timestamp)
    this.#past.push({ ...commit, state: structuredClone(this.#state) })
  }

  #pastAt(age: number): Past | undefined {
    return this.#past.at(-1 - (age % Math.max(1, this.#past.length)))
  }
}

type ScanStep = {
  table: TableName
  range: object
  reverse: boolean
  limit: number | undefined
}

/** Rows one by one: the path that hands out parts of pages. */
async function collect(rows: AsyncIterable<[string, string]>): Promise<[string, string][]> {
  const all: [string, string][] = []
  for await (const row of rows) all.push(row)
  return all
}

function scanModel(state: State, s: ScanStep): [string, string][] {
  const { gt, gte, lt, lte, prefix } = s.range as Record<string, string | undefined>
  const bytes = (text: string): Buffer => Buffer.from(text)
  const rows = [...state[s.table]]
    .filter(([k]) => {
      const order = (other: string): number => bytes(k).compare(bytes(other))
      return (
        (gt === undefined || order(gt) > 0) &&
        (gte === undefined || order(gte) >= 0) &&
        (lt === undefined || order(lt) < 0) &&
        (lte === undefined || order(lte) <= 0) &&
        (prefix === undefined || k.startsWith(prefix))
      )
    })
    .sort(([a], [b]) => bytes(a).compare(bytes(b)))
  if (s.reverse) rows.reverse()
  return s.limit === undefined ? rows : rows.slice(0, s.limit)
}

test.each(PLACE_KINDS)(
  'random operations on %s give what a map of maps gives, at every version',
  async (kind) => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 10, maxLength: 120, size: 'max' }),
        async (steps) => {
          const run = new Run(kind)
          await run.open()
          try {
            for (const s of steps) await run.take(s)
          } finally {
            await run.end()
          }
        },
      ),
      { numRuns: Math.ceil(RUNS * SHARES[kind]), endOnFailure: true },
    )
  },
  600_000,
)
