import { MemoryCommitLog, MemoryLogStorage } from '@firn/commit-log'
import { MemoryObjectStore } from '@firn/object-store'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { type Database, open } from '../../src/index.js'
import { CommitGroup } from '../../src/internal/append/commit-group.js'
import { Committer } from '../../src/internal/commit/committer.js'
import { TableIdentity } from '../../src/internal/view/table-identity.js'

const utf8 = { keys: 'utf8', values: 'utf8' } as const

describe.each([
  ['an exclusive log', true],
  ['a shared log', false],
])('what cannot be encoded fails alone, on %s', (_, exclusive) => {
  let db: Database
  let storage: MemoryLogStorage
  let store: MemoryObjectStore

  const reopened = (): Promise<Database> =>
    open({ store, log: () => new MemoryCommitLog({ storage, exclusive }) })

  beforeEach(async () => {
    storage = new MemoryLogStorage()
    store = new MemoryObjectStore()
    db = await reopened()
    await db.table('good', utf8).put('first', '1')
  })

  afterEach(async () => {
    vi.restoreAllMocks()
    await db.close()
  })

  /** Options that got past every check: the codec is the one that refuses them. */
  function poisonOptionsOf(name: string): void {
    const options = vi.spyOn(TableIdentity.prototype, 'creationOptions', 'get')
    options.mockImplementation(function (this: TableIdentity) {
      const history = this.name === name ? { durationMs: 0 } : { durationMs: 1000 }
      const { keys, values } = this
      return {
        keys: keys.name ?? 'custom',
        values: values.name ?? 'custom',
        history,
        compaction: 'leveled',
        compression: 'lz4',
        statistics: [],
      }
    })
  }

  /** The rows of the table; of long values the length. */
  async function shortRows(): Promise<Record<string, string | number>> {
    const rows = await db.table('good', utf8).scan().toArray()
    return Object.fromEntries(
      rows.map(([key, value]) => [key, value.length > 99 ? value.length : value]),
    )
  }

  /** Everything still works, now and after opening again, and no version is missing. */
  async function expectGoing(rows: Record<string, string | number>): Promise<void> {
    const good = db.table('good', utf8)
    const { version } = await good.put('last', 'last')
    await good.put('buffered', 'b', { durability: 'buffered' })
    await db.flush()
    const expected = { ...rows, first: '1', last: 'last', buffered: 'b' }
    expect(await shortRows()).toEqual(expected)
    expect(storage.entries.length).toBe(db.version)
    expect(db.version).toBe(version + 1)
    await db.close()
    db = await reopened()
    expect(await shortRows()).toEqual(expected)
  }

  test('the options of a table: writes at the same time, before and after it, are committed', async () => {
    poisonOptionsOf('bad')
    const good = db.table('good', utf8)
    const bad = db.table('bad', utf8)
    const results = await Promise.allSettled([
      good.put('a', 'a'),
      bad.put('k', 'v'),
      good.put('b', 'b'),
      db.batch().put(good, 'c', 'c').put(bad, 'k', 'v').write(),
      db.transaction(async (tx) => {
        await tx.table('good', utf8).put('d', 'd')
        await tx.table('bad', utf8).put('k', 'v')
      }),
      bad.put('k', 'v'.repeat(2 * 1024 * 1024)),
      db.table('new', utf8).put('k', 'v'),
      good.put('e', 'e'),
    ])
    expect(results.map(({ status }) => status === 'fulfilled')).toEqual([
      ...[true, false, true, false, false, false, true, true],
    ])
    for (const result of results) {
      if (result.status === 'rejected') {
        expect(result.reason).toMatchObject({ code: 'FIRN_INVALID_ARGUMENT' })
      }
    }
    expect((await db.tables()).map(({ name }) => name)).toEqual(['good', 'new'])
    await expectGoing({ a: 'a', b: 'b', e: 'e' })
  })

  test('a group of writes: those of other groups are committed, in order, without a gap', async () => {
    const good = db.table('good', utf8)
    const real = CommitGroup.prototype.payload
    const seen = new Set<CommitGroup>()
    vi.spyOn(CommitGroup.prototype, 'payload').mockImplementation(function (this: CommitGroup) {
      // The second group, each time it is asked.
      seen.add(this)
      if ([...seen][1] === this) throw new RangeError('it does not encode')
      return real.call(this)
    })
    // Each ends the group that gathers, so that several are on their way at once.
    const large = 'x'.repeat(900 * 1024)
    const puts: Promise<unknown>[] = []
    for (let i = 0; i < 20; i++) puts.push(good.put(`k${i}`, large))
    const flushed = db.flush()
    const results = await Promise.allSettled(puts)
    await flushed.catch((error: unknown) => expect(error).toBeInstanceOf(RangeError))
    vi.restoreAllMocks()
    const kept: Record<string, number> = {}
    for (const [i, result] of results.entries()) {
      if (result.status === 'fulfilled') kept[`k${i}`] = large.length
      else expect(result.reason).toBeInstanceOf(RangeError)
    }
    expect(Object.keys(kept).length).toBeGreaterThan(5)
    expect(Object.keys(kept).length).toBeLessThan(20)
    await expectGoing(kept)
  })

  test('a group that creates a table: the next one that writes to it creates it', async () => {
    const real = CommitGroup.prototype.payload
    let failures = 1
    vi.spyOn(CommitGroup.prototype, 'payload').mockImplementation(function (this: CommitGroup) {
      if (this.edits.some(({ type }) => type === 'create-table') && failures-- > 0) {
        throw new RangeError('it does not encode')
      }
      return real.call(this)
    })
    const made = db.table('made', utf8)
    const other = db.table('other', utf8)
    const large = 'x'.repeat(900 * 1024)
    const puts: Promise<unknown>[] = []
    // Several groups, all of which are given the ids of tables that the first one was to create.
    for (let i = 0; i < 12; i++) {
      puts.push(
        made.put(`k${i}`, large),
        other.put(`k${i}`, 'small'),
        db.table('good', utf8).put('x', 'x'),
      )
    }
    const results = await Promise.allSettled(puts)
    vi.restoreAllMocks()
    const count = (offset: number): number =>
      results.filter(({ status }, i) => i % 3 === offset && status === 'fulfilled').length
    expect(count(0)).toBeGreaterThan(0)
    expect(count(0)).toBeLessThan(12)
    expect(await made.count()).toBe(count(0))
    expect(await other.values().toArray()).toEqual(new Array(count(1)).fill('small'))
    await expectGoing({ x: 'x' })
    expect(await db.table('made', utf8).count()).toBe(count(0))
  })

  test('an edit of maintenance', async () => {
    const calls = vi.spyOn(Committer.prototype, 'write')
    await db.table('good', utf8).put('second', '2')
    const writer = calls.mock.contexts[0] as Committer
    await expect(writer.commitEdits([{ type: 'unpin', name: 5 as never }])).rejects.toMatchObject({
      code: expect.stringMatching(/^FIRN_/),
    })
    const unencodable = { type: 'checkpoint', version: 0.5, key: 'k' } as const
    await expect(writer.commitEdits([unencodable])).rejects.toBeDefined()
    await expectGoing({ second: '2' })
  })

  test('options that contradict those a table is being created with', async () => {
    const results = await Promise.allSettled([
      db.table('t', { ...utf8, history: 'none' }).put('a', 'a'),
      db.table('t', { ...utf8, history: 'all' }).put('b', 'b'),
      db.table('t', { keys: 'tuple' }).put(['c'], new Uint8Array(1)),
      db.table('t', utf8).put('d', 'd'),
    ])
    expect(results.map(({ status }) => status)).toEqual([
      ...['fulfilled', 'rejected', 'rejected', 'fulfilled'],
    ])
    expect(results[1]).toMatchObject({ reason: { code: 'FIRN_TABLE_OPTIONS' } })
    expect(await db.tables()).toMatchObject([{ name: 'good' }, { name: 't', history: 'none' }])
    expect(await db.table('t', utf8).keys().toArray()).toEqual(['a', 'd'])
    await db.dropTable('t')
    await db.table('t', { ...utf8, history: 'all' }).put('b', 'b')
    await expectGoing({})
  })
})
