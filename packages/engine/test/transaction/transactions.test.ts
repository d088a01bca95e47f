import {
  type CommitLog,
  MemoryCommitLog,
  MemoryLogStorage,
  ObjectCommitLog,
} from '@firn/commit-log'
import { isFirnError, systemEnv } from '@firn/env'
import { MemoryObjectStore, type ObjectStore } from '@firn/object-store'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type Database, open, type Transaction } from '../../src/index.js'
import { filesIn } from '../support/large-batches.js'
import { makePlace, PLACE_KINDS, type Place, TINY } from '../support/locations.js'
import { overriding } from '../support/overriding.js'

const TEXT = { keys: 'utf8', values: 'utf8' } as const
const QUIET = { compaction: 'off', maxStalenessMs: 1e9 } as const

describe.each(PLACE_KINDS)('transactions (%s)', (kind) => {
  let place: Place
  let db: Database

  beforeEach(async () => {
    place = makePlace(kind)
    db = await place.open({ compaction: 'off' })
  })

  afterEach(async () => {
    await db.close()
  })

  test('see what they write, in every kind of read; no other reader does before they commit', async () => {
    const table = db.table('t', TEXT)
    for (const key of ['a', 'b', 'c', 'd', 'e']) await table.put(key, `old ${key}`)
    const seen = await db.transaction(async (tx) => {
      const t = tx.table('t', TEXT)
      await t.put('b', 'new')
      await t.put('b', 'newer')
      await t.delete('c')
      await t.put('cc', 'new')
      await t.delete('nothing')
      expect(await t.get('b')).toBe('newer')
      expect(await t.get('c')).toBeUndefined()
      expect(await t.has('c')).toBe(false)
      expect(await t.has('cc')).toBe(true)
      expect(await t.getMany(['a', 'b', 'c', 'cc'])).toEqual(['old a', 'newer', undefined, 'new'])
      const rows = [
        ['a', 'old a'],
        ['b', 'newer'],
        ['cc', 'new'],
        ['d', 'old d'],
        ['e', 'old e'],
      ]
      expect(await t.scan().toArray()).toEqual(rows)
      expect(await t.scan({ reverse: true }).toArray()).toEqual(rows.toReversed())
      expect(await t.scan({ gt: 'a', limit: 2 }).toArray()).toEqual(rows.slice(1, 3))
      expect(await t.keys({ prefix: 'c' }).toArray()).toEqual(['cc'])
      expect(await t.values({ lte: 'b' }).toArray()).toEqual(['old a', 'newer'])
      expect(await t.count()).toBe(5)
      expect(await t.get('b', { at: { version: tx.version } })).toBe('old b')
      expect(await table.get('b')).toBe('old b')
      expect(await table.has('cc')).toBe(false)
      return rows
    })
    expect(await table.scan().toArray()).toEqual(seen)
  })

  test('write to tables that do not exist yet, and read what they wrote there', async () => {
    await db.transaction(async (tx) => {
      const t = tx.table('fresh', TEXT)
      expect(await t.get('k')).toBeUndefined()
      await t.put('k', 'v')
      expect(await t.get('k')).toBe('v')
      expect(await tx.table('fresh', TEXT).scan().toArray()).toEqual([['k', 'v']])
      await tx.table('other').put(new Uint8Array([1]), new Uint8Array([2]))
    })
    expect(await db.table('fresh', TEXT).get('k')).toBe('v')
    expect(await db.table('other').get(new Uint8Array([1]))).toEqual(new Uint8Array([2]))
  })

  test('commit as one version', async () => {
    await db.transaction(async (tx) => {
      await tx.table('a', TEXT).put('k', '1')
      await tx.table('b', TEXT).put('k', '1')
    })
    const { version } = db
    const transaction = await db.transaction(async (tx) => {
      await tx.table('a', TEXT).put('k', '2')
      await tx.table('b', TEXT).delete('k')
      expect(tx.committed).toBeUndefined()
      return tx
    })
    expect(db.version).toBe(version + 1)
    expect(transaction.committed?.version).toBe(version + 1)
    const at = { version }
    expect(await db.table('a', TEXT).get('k', { at })).toBe('1')
    expect(await db.table('b', TEXT).get('k', { at })).toBe('1')
  })

  test('that throw write nothing', async () => {
    const table = db.table('t', TEXT)
    await table.put('k', 'old')
    const { version } = db
    const failing = db.transaction(async (tx) => {
      await tx.table('t', TEXT).put('k', 'new')
      throw new Error('changed my mind')
    })
    await expect(failing).rejects.toThrow('changed my mind')
    expect(await table.get('k')).toBe('old')
    expect(db.version).toBe(version)
  })

  test('that only read commit nothing and give what they read', async () => {
    await db.table('t', TEXT).put('k', 'v')
    const { version } = db
    expect(await db.transaction((tx) => tx.table('t', TEXT).get('k'))).toBe('v')
    expect(db.version).toBe(version)
  })

  test('a scan that was begun does not show what is written after', async () => {
    const table = db.table('t', TEXT)
    const batch = db.batch()
    for (let i = 0; i < 300; i++) batch.put(table, String(i).padStart(3, '0'), 'old')
    await batch.write()
    await db.transaction(async (tx) => {
      const t = tx.table('t', TEXT)
      await t.put('000', 'before')
      const values = new Map<string, string>()
      for await (const [key, value] of t.scan()) {
        if (key === '001') await t.put('298', 'after')
        if (key === '002') await t.delete('299')
        if (key === '003') await t.put('zzz', 'after')
        values.set(key, value)
      }
      expect([values.get('000'), values.get('298'), values.get('299')]).toEqual([
        'before',
        'old',
        'old',
      ])
      expect(values.has('zzz')).toBe(false)
      expect(await t.getMany(['298', '299', 'zzz'])).toEqual(['after', undefined, 'after'])
    })
    expect(await table.getMany(['000', '298', '299', 'zzz'])).toEqual([
      'before',
      'after',
      undefined,
      'after',
    ])
  })

  test('that don’t conflict share entries of the log', async () => {
    const table = db.table('t', TEXT)
    await table.put('0', 'old')
    const { version } = db
    const write = (key: string): Promise<void> =>
      db.transaction(async (tx) => {
        const t = tx.table('t', TEXT)
        await t.put(key, `${await t.get(key)}, new`)
      })
    await Promise.all(Array.from({ length: 64 }, (_, i) => write(String(i))))
    expect(await table.count()).toBe(64)
    expect(await table.get('0')).toBe('old, new')
    expect(db.version - version).toBeLessThan(10)
  })

  test('15: counters that many add to at once lose nothing', async () => {
    const table = db.table('counters', { keys: 'utf8', values: 'json' })
    const add = (key: string): Promise<void> =>
      db.transaction(
        async (tx) => {
          const t = tx.table('counters', { keys: 'utf8', values: 'json' })
          await t.put(key, (((await t.get(key)) as number | undefined) ?? 0) + 1)
        },
        { attempts: 1000 },
      )
    await Promise.all(Array.from({ length: 100 }, (_, i) => add(String(i % 10))))
    for (let i = 0; i < 10; i++) expect(await table.get(String(i))).toBe(10)
  })

  test('move money without making or losing any', async () => {
    const table = db.table('accounts', { keys: 'utf8', values: 'json' })
    for (let i = 0; i < 5; i++) await table.put(String(i), 100)
    let state = 7
    const random = (below: number): number => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0
      return Math.floor((state / 2 ** 32) * below)
    }
    const move = (): Promise<void> =>
      db.transaction(
        async (tx) => {
          const t = tx.table('accounts', { keys: 'utf8', values: 'json' })
          const from = String(random(5))
          const to = String(random(5))
          if (from === to) return
          const amount = random(50)
          await t.put(from, ((await t.get(from)) as number) - amount)
          await t.put(to, ((await t.get(to)) as number) + amount)
        },
        { attempts: 1000 },
      )
    const watch = async (): Promise<void> => {
      const sum = await db.transaction(async (tx) => {
        const t = tx.table('accounts', { keys: 'utf8', values: 'json' })
        return (await t.values().toArray()).reduce<number>((a, b) => a + (b as number), 0)
      })
      expect(sum).toBe(500)
    }
    await Promise.all(Array.from({ length: 60 }, (_, i) => (i % 4 === 0 ? watch() : move())))
    await watch()
  })

  test('too large for an entry of the log are held to the same rules', async () => {
    await db.close()
    db = await place.open({ ...TINY, compaction: 'off' })
    const table = db.table('t', TEXT)
    await table.put('guard', '1')
    let runs = 0
    await db.transaction(async (tx) => {
      const t = tx.table('t', TEXT)
      const guard = await t.get('guard')
      for (let i = 0; i < 100; i++) await t.put(`k${i}`, `${guard}${'x'.repeat(50)}`)
      if (runs++ === 0) await table.put('guard', '2')
    })
    expect(runs).toBe(2)
    expect(await table.get('k99')).toBe(`2${'x'.repeat(50)}`)
    expect(await table.count({ prefix: 'k' })).toBe(100)
  })
})

type Work = (tx: Transaction) => Promise<unknown>

/** How often a transaction runs that somebody else writes into. */
async function runsOf(
  db: Database,
  work: Work,
  meanwhile: () => Promise<unknown>,
  options: { isolation?: 'serializable' | 'snapshot' } = {},
): Promise<number> {
  let runs = 0
  await db.transaction(async (tx) => {
    await work(tx)
    await tx.table('result', TEXT).put('k', String(runs))
    if (runs++ === 0) await meanwhile()
  }, options)
  return runs
}

describe('what contradicts a transaction', () => {
  let db: Database
  /** Another process's. */
  let other: Database

  beforeEach(async () => {
    const storage = new MemoryLogStorage()
    const store = new MemoryObjectStore()
    const log = (): MemoryCommitLog => new MemoryCommitLog({ storage })
    const tuning = { inlineLimitBytes: 2000 }
    db = await open({ store, log }, { ...QUIET, tuning })
    other = await open({ store, log }, { ...QUIET, tuning })
    const batch = db.batch()
    for (let i = 10; i < 60; i++) batch.put(db.table('t', TEXT), String(i), 'old')
    await batch.write()
    await db.table('result', TEXT).put('k', '0')
    await other.refresh()
  })

  afterEach(async () => {
    await other.close()
    await db.close()
  })

  const get: Work = (tx) => tx.table('t', TEXT).get('20')
  const absent: Work = (tx) => tx.table('t', TEXT).has('205')
  const range: Work = (tx) => tx.table('t', TEXT).scan({ gte: '20', lt: '30' }).toArray()
  const backwards: Work = (tx) =>
    tx.table('t', TEXT).keys({ gte: '20', lt: '30', reverse: true }).toArray()
  const three: Work = (tx) => tx.table('t', TEXT).scan({ gte: '20', limit: 3 }).toArray()
  const lastThree: Work = (tx) =>
    tx.table('t', TEXT).scan({ lt: '30', reverse: true, limit: 3 }).toArray()
  const first: Work = async (tx) => {
    for await (const _ of tx.table('t', TEXT).scan({ gte: '20' })) break
  }
  const count: Work = (tx) => tx.table('t', TEXT).count({ prefix: '2' })
  const many: Work = (tx) => tx.table('t', TEXT).getMany(['55', '20'])
  const nothing: Work = async () => undefined

  const put = (key: string) => (into: Database) => into.table('t', TEXT).put(key, 'new')
  const drop = (key: string) => (into: Database) => into.table('t', TEXT).delete(key)

  const CASES: [string, Work, (into: Database) => Promise<unknown>, number][] = [
    ['a key that was read is put', get, put('20'), 2],
    ['a key that was read is deleted', get, drop('20'), 2],
    ['another key is put', get, put('21'), 1],
    ['a key that was not there is put', absent, put('205'), 2],
    ['one of many keys is put', many, put('20'), 2],
    ['a key is put into a range', range, put('295'), 2],
    ['a key of a range is deleted', range, drop('29'), 2],
    ['the key at the end of a range is put', range, put('30'), 1],
    ['the key at its beginning is put', range, put('20'), 2],
    ['the key before a range is put', range, put('19'), 1],
    ['a key is put into a range that was read backwards', backwards, put('205'), 2],
    ['a key after it is put', backwards, put('30'), 1],
    ['a key is put into what a limit let be read', three, put('215'), 2],
    ['the last row of it is deleted', three, drop('22'), 2],
    ['a key is put behind it', three, put('225'), 1],
    ['a key is put into what was read backwards up to a limit', lastThree, put('275'), 2],
    ['a key is put before it', lastThree, put('265'), 1],
    ['a key is put into the page of a loop that was left', first, put('585'), 2],
    ['a key is put behind it', first, put('99'), 1],
    ['a key is put into a range that was counted', count, put('2x'), 2],
    ['a key is put and nothing was read', nothing, put('20'), 1],
  ]

  test.each(CASES)('%s', async (_, work, meanwhile, expected) => {
    expect(await runsOf(db, work, () => meanwhile(db))).toBe(expected)
  })

  test.each(CASES)('by another process: %s', async (_, work, meanwhile, expected) => {
    expect(await runsOf(db, work, () => meanwhile(other))).toBe(expected)
  })

  test.each(CASES)('in a file: %s', async (_, work, meanwhile, expected) => {
    const inFile = async (): Promise<void> => {
      await meanwhile(other)
      await other.table('elsewhere', TEXT).put('k', 'v')
      await other.compact()
    }
    expect(await runsOf(db, work, inFile)).toBe(expected)
  })

  test.each(CASES)('in a commit that is a file: %s', async (_, work, meanwhile, expected) => {
    const batch = other.batch()
    const large = 'x'.repeat(3000)
    const recording = {
      table: () => ({
        put: async (key: string) => batch.put(other.table('t', TEXT), key, large),
        delete: async (key: string) =>
          batch.delete(other.table('t', TEXT), key).put(other.table('pad', TEXT), 'k', large),
      }),
    }
    const inFile = async (): Promise<void> => {
      await meanwhile(recording as unknown as Database)
      await batch.write()
    }
    expect(await runsOf(db, work, inFile)).toBe(expected)
  })

  test('a delete that compaction dropped, with all that it deleted', async () => {
    const forgetful = { ...TEXT, history: 'none' } as const
    await other.table('f', forgetful).put('k', 'v')
    await db.refresh()
    const gone = async (): Promise<void> => {
      await other.table('f', forgetful).delete('k')
      await other.compact()
    }
    expect(await runsOf(db, (tx) => tx.table('f', forgetful).get('k'), gone)).toBe(2)
  })

  test('a table that was dropped, or dropped and made again', async () => {
    expect(await runsOf(db, get, () => other.dropTable('t'))).toBe(2)
    await put('20')(db)
    await other.refresh()
    const again = async (): Promise<void> => {
      await other.dropTable('t')
      await put('77')(other)
    }
    expect(await runsOf(db, get, again)).toBe(2)
  })

  test('a table that came into being, where its absence was read', async () => {
    const work: Work = (tx) => tx.table('new', TEXT).scan().toArray()
    expect(await runsOf(db, work, () => other.table('new', TEXT).put('k', 'v'))).toBe(2)
  })

  test('files that another process compacted away while they were checked', async () => {
    let runs = 0
    await db.transaction(async (tx) => {
      await tx.table('t', TEXT).scan().toArray()
      await tx.table('result', TEXT).put('k', '1')
      if (runs++ > 0) return
      await other.table('u', TEXT).put('k', 'v')
      await other.compact()
      await db.refresh()
      await other.table('u', TEXT).put('k', 'w')
      await other.compact()
    })
    expect(runs).toBe(1)
  })

  test('9: write skew: not when serializable, but in snapshots', async () => {
    const skew = async (isolation: 'serializable' | 'snapshot'): Promise<number> => {
      let runs = 0
      const writeIfOther = (mine: string, others: string): Promise<void> =>
        db.transaction(
          async (tx) => {
            runs++
            const t = tx.table('t', TEXT)
            if ((await t.get(others)) === 'old') await t.put(mine, 'gone')
          },
          { isolation },
        )
      await put('20')(db).then(() => put('21')(db))
      await db
        .batch()
        .put(db.table('t', TEXT), '20', 'old')
        .put(db.table('t', TEXT), '21', 'old')
        .write()
      await Promise.all([writeIfOther('20', '21'), writeIfOther('21', '20')])
      const left = await db.table('t', TEXT).getMany(['20', '21'])
      expect(left.filter((value) => value === 'old')).toHaveLength(isolation === 'snapshot' ? 0 : 1)
      return runs
    }
    expect(await skew('serializable')).toBe(3)
    expect(await skew('snapshot')).toBe(2)
  })

  test('a write to the same key, in snapshots', async () => {
    const work: Work = (tx) => tx.table('t', TEXT).put('20', 'mine')
    const options = { isolation: 'snapshot' } as const
    expect(await runsOf(db, work, () => put('20')(other), options)).toBe(2)
    expect(await runsOf(db, work, () => put('21')(other), options)).toBe(1)
    expect(await runsOf(db, get, () => put('20')(other), options)).toBe(1)
    expect(await runsOf(db, work, () => put('20')(other))).toBe(1)
    const again = async (): Promise<void> => {
      await other.dropTable('t')
      await put('77')(other)
    }
    expect(await runsOf(db, work, again, options)).toBe(2)
  })

  test('what it keeps meeting: after its attempts it is given up, with what to do', async () => {
    let runs = 0
    const unlucky = db.transaction(
      async (tx) => {
        runs++
        const t = tx.table('t', TEXT)
        await t.put('21', (await t.get('20')) ?? '')
        await put('20')(other)
      },
      { attempts: 3 },
    )
    const error = await unlucky.catch((thrown: unknown) => thrown)
    expect(isFirnError(error, 'FIRN_TRANSACTION_CONFLICT')).toBe(true)
    expect(error).toMatchObject({
      retryable: true,
      message: expect.stringMatching(
        /after 3 attempts.*table t was written to meanwhile.*run it again/,
      ),
    })
    expect(runs).toBe(3)
    expect(await db.table('t', TEXT).get('21')).toBe('old')
  })
})

/** Merges all files into others, and deletes them. */
async function replaceFiles(store: ObjectStore, db: Database): Promise<void> {
  const before = await filesIn(store)
  await db.compact()
  await store.delete(before)
}

describe('a transaction', () => {
  test('goes on with a scan in other files without the writes that came after it began', async () => {
    const store = new MemoryObjectStore()
    const log = (incarnation: string) => new ObjectCommitLog(store, incarnation)
    const options = { tuning: { pageRows: 1 } }
    await using writer = await open({ store, log }, options)
    const plain = { ...TEXT, compression: 'none' } as const
    const table = writer.table('t', plain)
    // More than a scan reads ahead.
    for (let i = 0; i < 9; i++) await table.put(`k${i}`, `${i}`.padEnd(500_000))
    await writer.compact()
    await using reader = await open({ store, log }, options)
    await reader.transaction(
      async (tx) => {
        const rows = tx.table('t', plain)
        await rows.put('k1', 'own')
        const seen: string[] = []
        for await (const [key, value] of rows.scan()) {
          seen.push(`${key} ${value.trim()}`)
          if (seen.length > 1) continue
          await rows.put('k7', 'later')
          await rows.put('k7b', 'later')
          await table.put('k0', 'newer')
          await table.put('k9', '')
          await replaceFiles(store, writer)
          await reader.evict()
        }
        expect(seen).toEqual(['k0 0', 'k1 own', ...[2, 3, 4, 5, 6, 7, 8].map((i) => `k${i} ${i}`)])
        expect(await rows.get('k7')).toBe('later')
        expect(await rows.count()).toBe(10)
      },
      { isolation: 'snapshot' },
    )
  })

  test('outlasts any number of replaced files in a scan', async () => {
    const store = new MemoryObjectStore()
    const log = (incarnation: string) => new ObjectCommitLog(store, incarnation)
    const plain = { ...TEXT, compression: 'none' } as const
    await using writer = await open({ store, log })
    const table = writer.table('t', plain)
    // More than a scan reads ahead.
    for (let i = 0; i < 12; i++) await table.put(`k${i}`, `${i}`.padEnd(500_000))
    await writer.compact()
    await using reader = await open({ store, log }, { tuning: { pageRows: 1 } })
    let rows = 0
    for await (const _ of reader.table('t', plain).scan()) {
      rows++
      await table.put('k0', `newer ${rows}`)
      await table.put('k9', `newer ${rows}`)
      await replaceFiles(store, writer)
      await reader.evict()
    }
    expect(rows).toBe(12)
  })

  test('reads the version before one that came a microsecond later, from a file that has both', async () => {
    // The clock stands still, so that timestamps follow each other without a gap.
    const env = { ...systemEnv, now: () => 1_800_000_000_000_000 }
    const store = new MemoryObjectStore()
    const log = (incarnation: string) => new ObjectCommitLog(store, incarnation, { env })
    const options = { env, tuning: { blockBytes: 64 } }
    const kept = { keys: 'utf8', values: 'utf8', history: 'all' } as const
    await using writer = await open({ store, log }, options)
    const table = writer.table('t', kept)
    await table.put('a', 'first')
    await table.put('k', 'older'.padEnd(200))
    await writer.compact()
    await using reader = await open({ store, log }, options)
    const seen = await reader.transaction(async (tx) => {
      const rows = tx.table('t', kept)
      await rows.get('a')
      await table.put('k', 'newer'.padEnd(200))
      await replaceFiles(store, writer)
      await reader.evict()
      return rows.get('k')
    })
    expect(seen?.trim()).toBe('older')
  })

  test('is over when its function is, and says so', async () => {
    await using db = await open('memory:')
    await db.table('t', TEXT).put('k', 'v')
    let kept: Transaction | undefined
    const table = await db.transaction(async (tx) => {
      kept = tx
      return tx.table('t', TEXT)
    })
    await expect(table.get('k')).rejects.toMatchObject({ code: 'FIRN_CLOSED' })
    await expect(table.put('k', 'v')).rejects.toMatchObject({ code: 'FIRN_CLOSED' })
    await expect(table.scan().toArray()).rejects.toMatchObject({ code: 'FIRN_CLOSED' })
    expect(() => kept?.table('t')).toThrow(/has ended/)
  })

  test('on a database that is open for reading reads, but refuses to write', async () => {
    const place = makePlace('file')
    await using db = await place.open()
    await db.table('t', TEXT).put('k', 'v')
    await using reader = await place.open({ mode: 'read' })
    expect(await reader.transaction((tx) => tx.table('t', TEXT).get('k'))).toBe('v')
    const writing = reader.transaction((tx) => tx.table('t', TEXT).put('k', 'w'))
    await expect(writing).rejects.toMatchObject({ code: 'FIRN_READ_ONLY' })
  })

  test('refuses keys and values that cannot be, options that do not exist, and a signal that is aborted', async () => {
    await using db = await open('memory:')
    const bad = db.transaction((tx) => tx.table('t', TEXT).put('k', undefined as unknown as string))
    await expect(bad).rejects.toMatchObject({ code: 'FIRN_INVALID_ARGUMENT' })
    const run = (options: object): Promise<unknown> => db.transaction(async () => 1, options)
    await expect(run({ attempts: 0 })).rejects.toThrow(/attempts must be a whole number from 1/)
    await expect(run({ isolation: 'dirty' })).rejects.toThrow(/'serializable' or 'snapshot'/)
    await expect(run({ signal: AbortSignal.abort(new Error('enough')) })).rejects.toThrow('enough')
  })

  test('that is given up ends at once, whatever its function waits for', async () => {
    await using db = await open('memory:')
    const giveUp = new AbortController()
    const endless = db.transaction(
      async (tx) => {
        await tx.table('t', TEXT).put('k', 'v')
        giveUp.abort(new Error('enough'))
        await new Promise(() => {})
      },
      { signal: giveUp.signal },
    )
    await expect(endless).rejects.toThrow('enough')
    expect(await db.table('t', TEXT).get('k')).toBeUndefined()
  })

  test('that is open when the database closes fails, and holds nothing open', async () => {
    const db = await open('memory:')
    await db.table('t', TEXT).put('k', 'v')
    const late = db.transaction(async (tx) => {
      await db.close()
      await tx.table('t', TEXT).put('k', 'late')
    })
    await expect(late).rejects.toMatchObject({ code: 'FIRN_CLOSED' })
  })

  test('that waits behind another commit when the database closes fails as closed', async () => {
    // Two that make their tables first: each has two commits, and the log is slow enough to close
    // between.
    const ticks = async (count: number): Promise<void> => {
      for (let i = 0; i < count; i++) await undefined
    }
    for (let closedAfter = 0; closedAfter < 400; closedAfter += 20) {
      const log = new MemoryCommitLog({ exclusive: false })
      const slow = overriding<CommitLog>(log, {
        append: async (...args: Parameters<CommitLog['append']>) => {
          await ticks(150)
          return log.append(...args)
        },
      })
      const parts = { store: new MemoryObjectStore(), log: () => slow }
      const db = await open(parts, { compaction: 'off' })
      const write = (name: string): Promise<unknown> =>
        db.transaction(async (tx) => {
          await tx.table(name, TEXT).get('k')
          await tx.table(name, TEXT).put('k', 'v')
        })
      const first = write('a')
      await ticks(3)
      const second = write('b')
      const settled = Promise.allSettled([first, second])
      await ticks(closedAfter)
      await db.close()
      for (const result of await settled) {
        if (result.status === 'fulfilled') continue
        expect(result.reason).toMatchObject({ code: 'FIRN_CLOSED' })
      }
    }
  })

  test('that cannot be checked fails alone: a flush that waits for it goes on', async () => {
    const stored = new MemoryObjectStore()
    let isDown = false
    let flushed: Promise<void> | undefined
    const store = overriding<ObjectStore>(stored, {
      get: async (...args: Parameters<ObjectStore['get']>) => {
        if (!isDown) return stored.get(...args)
        flushed ??= db.flush()
        throw new Error('down')
      },
    })
    const parts = { store, log: () => new MemoryCommitLog() }
    await using db = await open(parts, { compaction: 'off', cache: { memoryBytes: 0 } })
    const table = db.table('t', TEXT)
    await table.put('k', '1')
    const unlucky = db.transaction(async (tx) => {
      const t = tx.table('t', TEXT)
      await t.put('l', (await t.get('k')) ?? '')
      await table.put('k', '2')
      await db.compact()
      isDown = true
    })
    await expect(unlucky).rejects.toThrow('down')
    isDown = false
    expect(flushed).toBeDefined()
    await flushed
    expect(await table.get('l')).toBeUndefined()
  })

  test('sees what was buffered before it, and commits after that', async () => {
    await using db = await open('memory:')
    const table = db.table('t', TEXT)
    await table.put('k', '1')
    await table.put('k', '2', { durability: 'buffered' })
    await db.transaction(async (tx) => {
      const t = tx.table('t', TEXT)
      expect(await t.get('k')).toBe('2')
      await t.put('k', '3')
    })
    expect(await table.get('k')).toBe('3')
    let runs = 0
    await db.transaction(async (tx) => {
      const t = tx.table('t', TEXT)
      await t.put('l', (await t.get('k')) ?? '')
      if (runs++ === 0) await table.put('k', '4', { durability: 'buffered' })
    })
    expect(await table.get('l')).toBe('4')
  })
})
