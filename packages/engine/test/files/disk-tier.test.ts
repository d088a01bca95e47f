import { chmodSync, readdirSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { MemoryCommitLog, MemoryLogStorage } from '@firn/commit-log'
import { systemEnv } from '@firn/env'
import { MemoryObjectStore, MeteredObjectStore } from '@firn/object-store'
import { FaultyObjectStore } from '@firn/object-store/testing'
import { tempDirectory } from '@firn/test-support'
import { type FileSystem, nodeFileSystem } from '@firn/vfs'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import {
  type Database,
  type DatabaseParts,
  type OpenOptions,
  open,
  type Table,
} from '../../src/index.js'
import { CHUNK_BYTES } from '../../src/internal/files/disk-tier.js'
import { openDiskCache } from '../../src/internal/open/directory-portable.js'
import { event } from '../support/event.js'

type StoredOptions = OpenOptions & Pick<DatabaseParts, 'cacheFiles'>

const ROWS = 2000
const VALUE_BYTES = 1000
const TYPED = { keys: 'utf8' } as const

/** A database in memory whose requests are counted, with 2 MB in one file. */
class Stored {
  readonly faults: FaultyObjectStore
  readonly #store: MeteredObjectStore
  readonly #storage = new MemoryLogStorage()
  readonly salt: number

  constructor(salt = 1) {
    this.salt = salt
    this.faults = new FaultyObjectStore(new MemoryObjectStore())
    this.#store = new MeteredObjectStore(this.faults)
  }

  open(options: StoredOptions = {}): Promise<Database> {
    const log = (): MemoryCommitLog => new MemoryCommitLog({ storage: this.#storage })
    return open({ compaction: 'inline', ...options, store: this.#store, log })
  }

  async fill(): Promise<this> {
    const db = await this.open()
    const batch = db.batch()
    const table = db.table('t', { ...TYPED, compression: 'none' })
    for (let i = 0; i < ROWS; i++) batch.put(table, keyOf(i), this.valueOf(i))
    await batch.write()
    await db.compact()
    await db.close()
    this.gets()
    return this
  }

  valueOf(i: number): Uint8Array {
    return Uint8Array.from({ length: VALUE_BYTES }, (_, j) => (i * 31 + j * this.salt) & 255)
  }

  /** GET requests since the last call. */
  gets(): number {
    return this.#store.reset().kinds.get.requests
  }

  async expectAll(db: Database): Promise<void> {
    const rows = await db.table<string>('t').scan().toArray()
    expect(rows.map(([key]) => key)).toEqual(Array.from({ length: ROWS }, (_, i) => keyOf(i)))
    rows.forEach(([, value], i) => {
      expect(Buffer.compare(value, this.valueOf(i))).toBe(0)
    })
  }

  async expectRow(table: Table<string>, i: number): Promise<void> {
    expect(await table.get(keyOf(i))).toEqual(this.valueOf(i))
  }
}

const keyOf = (i: number): string => `key ${String(i).padStart(6, '0')}`

let directory: string
const databases: Database[] = []
beforeEach(() => {
  directory = tempDirectory()
})
afterEach(async () => {
  for (const db of databases.splice(0)) await db.close()
})

async function opened(
  stored: Stored,
  disk: { directory: string; bytes: number } | undefined = { directory, bytes: 100_000_000 },
  options: StoredOptions = {},
): Promise<{ db: Database; table: Table<string> }> {
  const db = await stored.open({ ...options, cache: { ...options.cache, disk } })
  databases.push(db)
  stored.gets()
  return { db, table: db.table('t', TYPED) }
}

function entries(): string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
}

/** Waits until the whole file was written to the disk, `times` times. */
async function written(db: Database, times = 1): Promise<void> {
  const { levels } = await db.stats()
  const chunks = Math.ceil((levels[1]?.bytes ?? 0) / CHUNK_BYTES)
  expect(chunks).toBeGreaterThan(30)
  for (;;) {
    const { disk } = (await db.stats()).cache
    expect(disk?.failedWrites).toBe(0)
    if ((disk?.writes ?? 0) >= chunks * times) return
    await systemEnv.yield()
  }
}

describe('reads through the disk', () => {
  test('a cold point read is one request, or two with the file’s opening; a warm one none', async () => {
    const stored = await new Stored().fill()
    const { db, table } = await opened(stored)
    await stored.expectRow(table, 100)
    expect(stored.gets()).toBe(2)
    await stored.expectRow(table, 1500)
    expect(stored.gets()).toBe(1)
    await stored.expectRow(table, 1500)
    expect(stored.gets()).toBe(0)
    await db.evict({ disk: false })
    expect(() => table.getSync(keyOf(1500))).toThrow()
    await stored.expectRow(table, 1500)
    expect(stored.gets()).toBe(0)
    await db.evict()
    await stored.expectRow(table, 1500)
    expect(stored.gets()).toBe(1)
    await db.evict({ memory: false })
    await stored.expectRow(table, 1500)
    expect(stored.gets()).toBe(0)
    await db.evict({ disk: false })
    await stored.expectRow(table, 1500)
    expect(stored.gets()).toBe(1)
  })

  test('what was read is there when the database is opened again', async () => {
    const stored = await new Stored().fill()
    const first = await opened(stored)
    await stored.expectRow(first.table, 100)
    await stored.expectAll(first.db)
    await first.db.close()
    const { db, table } = await opened(stored)
    await stored.expectRow(table, 100)
    await stored.expectAll(db)
    expect(stored.gets()).toBe(0)
    const { disk } = (await db.stats()).cache
    expect(disk?.hits).toBeGreaterThan(10)
    expect(disk).toMatchObject({ misses: 0, damaged: 0 })
  })

  test('reads of one cold chunk at the same time share a request; a scan makes few', async () => {
    const stored = await new Stored().fill()
    const { db, table } = await opened(stored)
    await table.get(keyOf(1900))
    stored.gets()
    await Promise.all(Array.from({ length: 20 }, () => stored.expectRow(table, 5)))
    expect(stored.gets()).toBe(1)
    await db.evict()
    // Eight rows a block: twenty rows are in three or four.
    await Promise.all(Array.from({ length: 20 }, (_, i) => stored.expectRow(table, 10 + i)))
    expect(stored.gets()).toBe(1)
    await db.evict()
    await stored.expectAll(db)
    // 2 MB by reads of 256 KiB.
    expect(stored.gets()).toBeLessThanOrEqual(10)
    await db.evict({ disk: false })
    await stored.expectAll(db)
    expect(stored.gets()).toBe(0)
  })

  test('a small file is read by the request that opens it', async () => {
    const stored = new Stored()
    const { db, table } = await opened(stored)
    for (let i = 0; i < 20; i++) await table.put(keyOf(i), stored.valueOf(i))
    await db.compact()
    stored.gets()
    for (let i = 0; i < 20; i++) await stored.expectRow(table, i)
    expect(stored.gets()).toBe(1)
  })

  test('without the option nothing is kept, and blocks are read as they are', async () => {
    const stored = await new Stored().fill()
    const db = await stored.open()
    databases.push(db)
    await stored.expectAll(db)
    expect(entries()).toEqual([])
    expect((await db.stats()).cache.disk).toBeUndefined()
    await db.evict()
  })
})

describe('29: the disk’s files', () => {
  const damages: [string, (path: string, i: number) => void][] = [
    ['emptied', (path) => truncateSync(path)],
    ['cut short', (path, i) => truncateSync(path, 10 + i * 1000)],
    ['overwritten', (path, i) => writeFileSync(path, Buffer.alloc(1000 + i, i), { flag: 'r+' })],
    ['replaced', (path) => writeFileSync(path, Buffer.alloc(65_496))],
    ['deleted', (path) => rmSync(path)],
    ['unreadable', (path) => chmodSync(path, 0)],
  ]
  test.each(damages)('%s: reads are right, and the disk recovers', async (name, damage) => {
    const stored = await new Stored().fill()
    const { db } = await opened(stored)
    await stored.expectAll(db)
    await written(db)
    await db.evict({ disk: false })
    entries().forEach(damage)
    await stored.expectAll(db)
    if (name !== 'unreadable') await written(db, 2)
    await db.evict({ disk: false })
    stored.gets()
    await stored.expectAll(db)
    expect(stored.gets()).toBe(0)
  })

  test('the directory deleted, or a file in its place: reads are right', async () => {
    const stored = await new Stored().fill()
    const { db } = await opened(stored)
    await stored.expectAll(db)
    await written(db)
    rmSync(directory, { recursive: true })
    await db.evict({ disk: false })
    await stored.expectAll(db)
    await db.evict({ disk: false })
    rmSync(directory, { recursive: true, force: true })
    writeFileSync(directory, 'in the way')
    await stored.expectAll(db)
    await db.close()
    const again = await opened(stored)
    await stored.expectAll(again.db)
    await again.db.evict()
    await stored.expectAll(again.db)
  })

  test('damaged between any reads: what is read is right', async () => {
    const stored = await new Stored().fill()
    const { db, table } = await opened(stored)
    const step = fc.tuple(
      fc.integer({ min: 0, max: ROWS - 1 }),
      fc.constantFrom(...damages.map(([, damage]) => damage)),
      fc.nat(),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 8 }), async (steps) => {
        for (const [row, damage, which] of steps) {
          const paths = entries()
          const path = paths[which % Math.max(1, paths.length)]
          try {
            if (path !== undefined) damage(path, which % 50)
          } catch {
            // Written under another name, and just renamed.
          }
          await stored.expectRow(table, row)
          await db.evict({ disk: false })
        }
      }),
      { numRuns: 50 },
    )
  })
})

describe('26: replies of the store', () => {
  test.each(['bit-flip', 'short-reply', 'long-reply', 'other-object', 'truncate'] as const)(
    'with a %s are not what later reads find on disk',
    async (kind) => {
      const stored = await new Stored().fill()
      const { db, table } = await opened(stored)
      await stored.expectRow(table, 1900)
      for (let i = 0; i < ROWS; i += 150) {
        let left = 1
        stored.faults.setSchedule(({ operation }) =>
          operation === 'get' && left-- > 0 ? { kind } : undefined,
        )
        await stored.expectRow(table, i)
      }
      stored.faults.setSchedule()
      expect(stored.faults.counts[kind]).toBeGreaterThan(5)
      // Bits that were flipped in neighbours are met now.
      await db.evict({ disk: false })
      await stored.expectAll(db)
      await db.close()
      const again = await opened(stored)
      await stored.expectAll(again.db)
      expect(stored.gets()).toBe(0)
      expect((await again.db.stats()).cache.disk?.damaged).toBe(0)
    },
  )
})

describe('the directory', () => {
  test('is shared by databases without mixing them up', async () => {
    const [one, other] = [await new Stored(3).fill(), await new Stored(5).fill()]
    for (let round = 0; round < 2; round++) {
      const first = await opened(one)
      const second = await opened(other)
      await Promise.all([one.expectAll(first.db), other.expectAll(second.db)])
      await Promise.all([first.db.evict({ disk: false }), second.db.evict({ disk: false })])
      await Promise.all([one.expectAll(first.db), other.expectAll(second.db)])
      await Promise.all([first.db.close(), second.db.close()])
    }
    expect(readdirSync(directory).length).toBe(2)
  })

  test('holds no more than it may, and still serves', async () => {
    const stored = await new Stored().fill()
    const bytes = 500_000
    const { db, table } = await opened(stored, { directory, bytes })
    const used = (): number => entries().reduce((sum, path) => sum + statSync(path).size, 0)
    await stored.expectAll(db)
    for (let i = 0; i < ROWS; i += 37) {
      await stored.expectRow(table, i)
      await db.evict({ disk: false })
    }
    await table.warm()
    expect(used()).toBeGreaterThan(bytes / 2)
    expect(used()).toBeLessThanOrEqual(bytes)
    expect((await db.stats()).cache.disk).toMatchObject({ bytes, usedBytes: used() })
    await db.close()
    const smaller = await opened(stored, { directory, bytes: 200_000 })
    await stored.expectRow(smaller.table, 0)
    await smaller.db.close()
    expect(used()).toBeLessThanOrEqual(200_000)
  })

  test('loses the files that were compacted away, and at evict all', async () => {
    const stored = await new Stored().fill()
    const { db, table } = await opened(stored)
    await stored.expectAll(db)
    const [before] = readdirSync(directory)
    const snapshot = await db.snapshot()
    for (let i = 0; i < 100; i++) await table.put(keyOf(i), stored.valueOf(i))
    await db.compact()
    await stored.expectAll(db)
    expect(readdirSync(directory)).toContain(before)
    await snapshot.close()
    // Waits for what is under way.
    await table.warm()
    await db.close()
    const after = readdirSync(directory)
    expect(after).not.toContain(before)
    expect(after.length).toBe(1)
    const again = await opened(stored)
    await stored.expectAll(again.db)
    expect(stored.gets()).toBe(0)
    await again.db.evict()
    expect(readdirSync(directory)).toEqual([])
  })
})

describe('warm', () => {
  test('makes reads of a table free by few requests, in memory and on disk', async () => {
    const stored = await new Stored().fill()
    const { db, table } = await opened(stored)
    const report = await table.warm()
    // 2 MB by reads of a MiB, and one that opens the file.
    expect(stored.gets()).toBeLessThanOrEqual(4)
    expect(report.records).toBe(ROWS)
    expect(report.bytes).toBeGreaterThan(ROWS * VALUE_BYTES)
    expect(report.blocks).toBeGreaterThan(ROWS / 10)
    for (let i = 0; i < ROWS; i += 7) expect(table.getSync(keyOf(i))).toEqual(stored.valueOf(i))
    expect(await table.warm()).toEqual({ blocks: 0, bytes: 0, records: 0 })
    await db.evict({ disk: false })
    expect((await table.warm()).records).toBe(ROWS)
    expect(stored.gets()).toBe(0)
    await db.close()
    const again = await opened(stored)
    await stored.expectAll(again.db)
    expect(stored.gets()).toBe(0)
  })

  test('takes a range, a snapshot’s table, and files of every level', async () => {
    const stored = await new Stored().fill()
    const { db, table } = await opened(stored, undefined, { compaction: 'off' })
    await db.close()
    const off = await opened(stored, undefined, {
      compaction: 'off',
      tuning: { inlineLimitBytes: 10_000 },
    })
    const snapshot = await off.db.snapshot()
    const batch = off.db.batch()
    for (let i = 0; i < 20; i++) batch.put(off.table, keyOf(500 + i), stored.valueOf(1))
    await batch.write()
    expect((await off.db.stats()).levels[0]?.files).toBe(1)
    const { records } = await off.table.warm({ gte: keyOf(500), lt: keyOf(600) })
    expect(records).toBeGreaterThanOrEqual(120)
    expect(records).toBeLessThan(150)
    expect(off.table.getSync(keyOf(519))).toEqual(stored.valueOf(1))
    expect(off.table.getSync(keyOf(520))).toEqual(stored.valueOf(520))
    expect(() => off.table.getSync(keyOf(700))).toThrow()
    expect((await off.table.warm({ prefix: 'key 0007' })).records).toBeGreaterThanOrEqual(100)
    expect(off.table.getSync(keyOf(700))).toEqual(stored.valueOf(700))
    const old = snapshot.table('t', TYPED)
    expect((await old.warm({ gte: keyOf(900), lte: keyOf(910) })).records).toBeGreaterThan(10)
    stored.gets()
    expect(await old.get(keyOf(905))).toEqual(stored.valueOf(905))
    expect(stored.gets()).toBe(0)
    for (const range of [{ gte: 'x' }, { gt: keyOf(5), lt: keyOf(4) }]) {
      expect((await off.table.warm(range)).records).toBe(0)
    }
    expect((await off.db.table('none').warm()).records).toBe(0)
    await expect(table.warm()).rejects.toMatchObject({ code: 'FIRN_CLOSED' })
    await expect(off.table.warm({ prefix: 'a', gt: 'b' })).rejects.toMatchObject({
      code: 'FIRN_INVALID_ARGUMENT',
    })
  })

  test('works without a disk', async () => {
    const stored = await new Stored().fill()
    const db = await stored.open()
    databases.push(db)
    const table = db.table('t', TYPED)
    expect((await table.warm()).records).toBe(ROWS)
    stored.gets()
    await stored.expectAll(db)
    expect(stored.gets()).toBe(0)
  })

  test('brings to disk more than can be on its way there at once', async () => {
    const stored = new Stored()
    const { db } = await opened(stored)
    const table = db.table('t', { ...TYPED, compression: 'none' })
    const rows = 2200
    const value = new Uint8Array(10_000)
    for (let i = 0; i < rows; i += 100) {
      const batch = db.batch()
      for (let j = i; j < i + 100; j++) batch.put(table, keyOf(j), value)
      await batch.write()
    }
    await db.compact()
    await table.warm()
    await db.close()
    const again = await opened(stored)
    expect(await again.table.count()).toBe(rows)
    expect(stored.gets()).toBe(0)
  })

  test('35: keeps within the memory that it is given', async () => {
    const stored = await new Stored().fill()
    const { db, table } = await opened(stored, undefined, { cache: { memoryBytes: 300_000 } })
    expect((await table.warm()).records).toBe(ROWS)
    const { cache } = await db.stats()
    expect(cache.usedBytes).toBeLessThanOrEqual(300_000)
    stored.gets()
    await stored.expectAll(db)
    expect(stored.gets()).toBe(0)
  })
})

describe('41, 42: ends', () => {
  test('evict takes nothing from scans and snapshots that are under way', async () => {
    const stored = await new Stored().fill()
    const { db, table } = await opened(stored, undefined, { cache: { memoryBytes: 100_000 } })
    const snapshot = await db.snapshot()
    let rows = 0
    for await (const [key, value] of table.scan()) {
      expect(key).toBe(keyOf(rows))
      expect(Buffer.compare(value, stored.valueOf(rows))).toBe(0)
      if (rows++ % 300 === 0) {
        void stored.expectRow(table, (rows * 7) % ROWS)
        await db.evict()
      }
    }
    expect(rows).toBe(ROWS)
    expect(await snapshot.table('t', TYPED).get(keyOf(3))).toEqual(stored.valueOf(3))
    await snapshot.close()
  })

  test('a signal ends its own read and warming, and no others', async () => {
    const stored = await new Stored().fill()
    const { table } = await opened(stored)
    await stored.expectRow(table, 1900)
    stored.gets()
    const controller = new AbortController()
    const read = table.get(keyOf(3), { signal: controller.signal })
    const other = stored.expectRow(table, 4)
    const warm = table.warm({}, { signal: controller.signal })
    controller.abort('enough')
    await expect(read).rejects.toBe('enough')
    await expect(warm).rejects.toBe('enough')
    await other
    await stored.expectRow(table, 3)
    await expect(table.warm({}, { signal: AbortSignal.abort('late') })).rejects.toBe('late')
  })

  test('a signal ends warming while the disk takes its time', async () => {
    const stored = await new Stored().fill()
    const [asked, answered] = [event(), event()]
    const cacheFiles: FileSystem = {
      ...nodeFileSystem,
      createFile: () => {
        asked.happen()
        return answered.happened
      },
      rename: async () => {},
    }
    const { db, table } = await opened(stored, undefined, { cacheFiles })
    const controller = new AbortController()
    const warm = table.warm({ gte: keyOf(3), lte: keyOf(3) }, { signal: controller.signal })
    await asked.happened
    await stored.expectRow(table, 3)
    controller.abort('enough')
    await expect(warm).rejects.toBe('enough')
    answered.happen()
    await db.close()
  })

  test('closing while blocks are read: each read ends well or says so, and the disk is whole', async () => {
    const stored = await new Stored().fill()
    const { db, table } = await opened(stored)
    const work = [
      ...Array.from({ length: 50 }, (_, i) => stored.expectRow(table, i * 40)),
      stored.expectAll(db),
      table.warm(),
      db.evict(),
    ]
    await Promise.race(work)
    const closed = db.close()
    for (const result of await Promise.allSettled(work)) {
      if (result.status === 'rejected') expect(result.reason).toMatchObject({ code: 'FIRN_CLOSED' })
    }
    await closed
    await expect(db.evict()).rejects.toMatchObject({ code: 'FIRN_CLOSED' })
    expect(entries().filter((path) => path.includes('tmp-'))).toEqual([])
    const again = await opened(stored)
    await stored.expectAll(again.db)
    expect((await again.db.stats()).cache.disk?.damaged).toBe(0)
  })
})

describe('options', () => {
  test.each([
    [{ directory: '', bytes: 1 }, 'cache.disk.directory'],
    [{ directory: 5, bytes: 1 }, 'cache.disk.directory'],
    [{ directory: 'a\0b', bytes: 1 }, 'cache.disk.directory'],
    [{ bytes: 1 }, 'cache.disk.directory'],
    [null, 'cache.disk'],
    [{ directory: 'x' }, 'cache.disk.bytes'],
    [{ directory: 'x', bytes: -1 }, 'cache.disk.bytes'],
    [{ directory: 'x', bytes: 1.5 }, 'cache.disk.bytes'],
    [{ directory: 'x', bytes: '1 GB' }, 'cache.disk.bytes'],
  ])('%j is refused, and says why', async (disk, name) => {
    const cache = { disk } as unknown as NonNullable<OpenOptions['cache']>
    await expect(open('memory:', { cache })).rejects.toMatchObject({
      code: 'FIRN_INVALID_ARGUMENT',
      message: expect.stringContaining(name),
    })
  })

  test('where there is no Node, the error says what to do', () => {
    expect(() => openDiskCache({ directory, bytes: 1 }, undefined as never, undefined)).toThrow(
      /cache\.disk needs Node\.js; leave it out/,
    )
  })
})
