import {
  type CommitLog,
  CommitUnknownError,
  MemoryCommitLog,
  type MemoryCommitLogOptions,
  MemoryLogStorage,
  type NewLogEntry,
} from '@firn/commit-log'
import { MemoryObjectStore, MeteredObjectStore, type ObjectStore } from '@firn/object-store'
import { FaultyObjectStore, plannedFaults } from '@firn/object-store/testing'
import { describe, expect, test } from 'vitest'
import { type Batch, type Database, open } from '../../src/index.js'
import { event } from '../support/event.js'
import { filesIn, number, SMALL_RUNS, TEXT } from '../support/large-batches.js'
import { overriding } from '../support/overriding.js'

/** Too many for an entry of the log; three times as many are less than a group. */
const ROWS = 22
const VALUE = 'v'.repeat(100)

interface Place {
  readonly base: MemoryObjectStore
  readonly store: MeteredObjectStore
  open(): Promise<Database>
}

function makePlace(
  wrap: (base: ObjectStore) => ObjectStore = (base) => base,
  options: Partial<MemoryCommitLogOptions> = {},
): Place {
  const base = new MemoryObjectStore()
  const store = new MeteredObjectStore(wrap(base))
  const storage = new MemoryLogStorage()
  const log = () => new MemoryCommitLog({ storage, ...options })
  return { base, store, open: () => open({ store, log }, SMALL_RUNS) }
}

/** Holds uploads back until `release` is called; `begun` resolves when so many wait. */
function gate() {
  const released = event()
  const waiting: (() => void)[] = []
  let uploads = 0
  const wrap = (base: ObjectStore): ObjectStore =>
    overriding<ObjectStore>(base, {
      upload: async (...options: Parameters<ObjectStore['upload']>) => {
        waiting[++uploads]?.()
        await released.happened
        return base.upload(...options)
      },
    })
  const begun = (count: number): Promise<void> =>
    new Promise((resolve) => {
      if (uploads >= count) resolve()
      waiting[count] = resolve
    })
  return { wrap, begun, release: released.happen }
}

function batchOf(db: Database, table: string, from: number, value: string = VALUE): Batch {
  const batch = db.batch()
  for (let i = from; i < from + ROWS; i++) batch.put(db.table(table, TEXT), number(i), value)
  return batch
}

describe('batches that are larger than an entry, and come together', () => {
  test.each([true, false])('share a commit and a file (exclusive: %s)', async (exclusive) => {
    const { base, store, open } = makePlace(undefined, { exclusive })
    await using db = await open()
    await db.table('a', TEXT).put('first', 'row')
    const before = store.snapshot().kinds.uploadStart.requests
    const entries = (await db.stats()).log.appendedEntries
    const commits = await Promise.all([
      batchOf(db, 'a', 0).write(),
      batchOf(db, 'b', 0).write(),
      batchOf(db, 'a', 100).write({ durability: 'buffered' }),
    ])
    expect(new Set(commits.map(({ version }) => version))).toEqual(new Set([db.version]))
    expect(await filesIn(base)).toHaveLength(1)
    expect(store.snapshot().kinds.uploadStart.requests - before).toBe(1)
    // The other makes the table.
    expect((await db.stats()).log.appendedEntries - entries).toBe(2)
    expect(await db.table('a', TEXT).count()).toBe(2 * ROWS + 1)
    expect(await db.table('b', TEXT).get(number(7))).toBe(VALUE)
  })

  test('are of their own tables, also where none of these was there', async () => {
    const { open } = makePlace()
    await using db = await open()
    const names = ['one', 'two', 'three']
    await Promise.all(names.map((name, i) => batchOf(db, name, i * 10, name.repeat(30)).write()))
    for (const [i, name] of names.entries()) {
      const rows = await db.table(name, TEXT).scan().toArray()
      expect(rows).toHaveLength(ROWS)
      expect(rows[0]).toEqual([number(i * 10), name.repeat(30)])
    }
  })

  test('leave of each key what was written last', async () => {
    const { open } = makePlace()
    await using db = await open()
    const table = db.table('t', TEXT)
    const deletes = db.batch()
    for (let i = 0; i < ROWS; i++) deletes.put(table, number(i), 'x'.repeat(100))
    for (let i = 0; i < ROWS; i += 3) deletes.delete(table, number(i))
    await Promise.all([
      batchOf(db, 't', 0, '1'.repeat(100)).write(),
      deletes.write(),
      batchOf(db, 't', 20, '3'.repeat(100)).write(),
    ])
    const expected = Array.from({ length: 20 + ROWS }, (_, i) => {
      const last = i < 20 ? 'x'.repeat(100) : '3'.repeat(100)
      return i < 20 && i % 3 === 0 ? [] : [[number(i), last]]
    })
    expect(await table.scan().toArray()).toEqual(expected.flat())
  })

  test('gather while others are on their way, and not before that', async () => {
    const { wrap, begun, release } = gate()
    const { base, open } = makePlace(wrap)
    await using db = await open()
    const first = batchOf(db, 't', 0).write()
    await begun(1)
    const later = [1, 2, 3].map((i) => batchOf(db, 't', i * 100).write())
    release()
    const { version } = await first
    const commits = await Promise.all(later)
    expect(commits.map((commit) => commit.version)).toEqual([1, 1, 1].map((one) => version + one))
    expect(await filesIn(base)).toHaveLength(2)
    expect(await db.table('t', TEXT).count()).toBe(4 * ROWS)
  })

  test('do not wait for each other where a group is large enough', async () => {
    const { wrap, begun, release } = gate()
    const { base, open } = makePlace(wrap)
    await using db = await open()
    const first = batchOf(db, 't', 0).write()
    await begun(1)
    const later = [1, 2, 3, 4].map((i) => batchOf(db, 't', i * 100).write())
    // All four are a group that is full.
    await begun(2)
    release()
    await Promise.all([first, ...later])
    expect(await filesIn(base)).toHaveLength(2)
    expect(await db.table('t', TEXT).count()).toBe(5 * ROWS)
  })
})

describe('of batches that come together', () => {
  test('those that write to a table with other options fail alone', async () => {
    const { base, open } = makePlace()
    await using db = await open()
    await using other = await open()
    const wrong = db.batch()
    for (let i = 0; i < ROWS; i++)
      wrong.put(db.table('t', { keys: 'utf8', values: 'json' }), number(i), VALUE)
    await other.table('t', TEXT).put('first', 'row')
    const [right, failed] = await Promise.allSettled([
      batchOf(db, 'kept', 0).write(),
      wrong.write(),
    ])
    expect(failed).toMatchObject({ reason: { code: 'FIRN_TABLE_OPTIONS' } })
    expect(right).toMatchObject({ status: 'fulfilled' })
    expect(await db.table('kept', TEXT).count()).toBe(ROWS)
    expect(await filesIn(base)).toHaveLength(1)
  })

  test('those whose table is dropped on their way fail alone', async () => {
    const { wrap, begun, release } = gate()
    const { base, open } = makePlace(wrap)
    await using db = await open()
    await using other = await open()
    await other.table('dropped', TEXT).put('first', 'row')
    await db.table('kept', TEXT).put('first', 'row')
    const writes = Promise.allSettled([
      batchOf(db, 'dropped', 0).write(),
      batchOf(db, 'kept', 0).write(),
      batchOf(db, 'kept', 100).write(),
    ])
    await begun(1)
    await other.dropTable('dropped')
    release()
    const [failed, ...kept] = await writes
    expect(failed).toMatchObject({ reason: { code: 'FIRN_COMMIT_CONFLICT' } })
    expect(kept.every(({ status }) => status === 'fulfilled')).toBe(true)
    expect(await db.table('kept', TEXT).count()).toBe(2 * ROWS + 1)
    expect((await db.tables()).map(({ name }) => name)).toEqual(['kept'])
    expect(await filesIn(base)).toHaveLength(1)
  })

  test('the others are not written where the database is closed before they are tried again', async () => {
    const { wrap, begun, release } = gate()
    const { base, open } = makePlace(wrap)
    const db = await open()
    await using other = await open()
    await other.table('dropped', TEXT).put('first', 'row')
    const writes = Promise.allSettled([
      batchOf(db, 'dropped', 0).write(),
      batchOf(db, 'kept', 0).write(),
    ])
    await begun(1)
    await other.dropTable('dropped')
    const closed = db.close()
    release()
    await closed
    for (const write of await writes) expect(write.status).toBe('rejected')
    expect(await filesIn(base)).toEqual([])
  })

  test('all are told that the outcome is unknown, and none is tried again', async () => {
    const base = new MemoryObjectStore()
    let silent = false
    const log = () => {
      const answering = new MemoryCommitLog({ storage: new MemoryLogStorage() })
      return overriding<CommitLog>(answering, {
        append: (entry: NewLogEntry) =>
          silent ? Promise.reject(new CommitUnknownError(entry)) : answering.append(entry),
      })
    }
    await using db = await open({ store: base, log }, SMALL_RUNS)
    await db.table('t', TEXT).put('first', 'row')
    silent = true
    const writes = await Promise.allSettled([1, 2].map((i) => batchOf(db, 't', i * 100).write()))
    for (const write of writes) {
      expect(write).toMatchObject({ reason: { code: 'FIRN_COMMIT_UNKNOWN' } })
    }
    // Its entry may be there.
    expect(await filesIn(base)).toHaveLength(1)
  })

  test('all fail where their file cannot be written, and those that come later do not', async () => {
    let faulty: FaultyObjectStore | undefined
    const { base, open } = makePlace((store) => {
      faulty = new FaultyObjectStore(store)
      return faulty
    })
    await using db = await open()
    faulty?.setSchedule(plannedFaults({ operation: 'upload', kind: 'error-before' }))
    const failed = await Promise.allSettled([1, 2].map((i) => batchOf(db, 't', i * 100).write()))
    expect(failed.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
    expect(await filesIn(base)).toEqual([])
    await Promise.all([1, 2].map((i) => batchOf(db, 't', i * 100).write()))
    expect(await db.table('t', TEXT).count()).toBe(2 * ROWS)
  })

  test('one that is given up while they gather is not written', async () => {
    const { wrap, begun, release } = gate()
    const { open } = makePlace(wrap)
    await using db = await open()
    const first = batchOf(db, 't', 0).write()
    await begun(1)
    const stop = new AbortController()
    const given = batchOf(db, 'given-up', 100).write({ signal: stop.signal })
    const kept = batchOf(db, 't', 200).write()
    stop.abort(new Error('enough'))
    await expect(given).rejects.toThrow('enough')
    release()
    await Promise.all([first, kept])
    expect((await db.tables()).map(({ name }) => name)).toEqual(['t'])
    expect(await db.table('t', TEXT).count()).toBe(2 * ROWS)
  })

  test('nothing is there when all are given up on their way', async () => {
    const { wrap, begun, release } = gate()
    const { base, open } = makePlace(wrap)
    const db = await open()
    const stop = new AbortController()
    const { signal } = stop
    const writes = Promise.allSettled(
      [1, 2].map((i) => batchOf(db, 't', i * 100).write({ signal })),
    )
    await begun(1)
    stop.abort(new Error('enough'))
    for (const write of await writes) expect(write).toMatchObject({ reason: { message: 'enough' } })
    release()
    await db.close()
    expect(await filesIn(base)).toEqual([])
  })

  test('the others are written when one is given up on its way', async () => {
    const { wrap, begun, release } = gate()
    const { open } = makePlace(wrap)
    await using db = await open()
    const stop = new AbortController()
    const given = batchOf(db, 't', 0).write({ signal: stop.signal })
    const kept = batchOf(db, 't', 100).write()
    await begun(1)
    stop.abort(new Error('enough'))
    await expect(given).rejects.toThrow('enough')
    release()
    await kept
    // They share a file, and with it their fate.
    expect(await db.table('t', TEXT).count()).toBe(2 * ROWS)
  })

  test.each(['gather', 'are on their way'])('while they %s, close ends them', async (when) => {
    const { wrap, begun, release } = gate()
    const { base, open } = makePlace(wrap)
    const db = await open()
    const writes = [batchOf(db, 't', 0).write()]
    if (when === 'are on their way') await begun(1)
    writes.push(batchOf(db, 't', 100).write())
    const ended = Promise.allSettled(writes)
    const closed = db.close()
    release()
    await closed
    for (const write of await ended) {
      expect(write).toMatchObject({ reason: { code: 'FIRN_CLOSED' } })
    }
    expect(await filesIn(base)).toEqual([])
  })
})
