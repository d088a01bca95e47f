import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { tempDirectory } from '@firn/test-support'
import { afterEach, describe, expect, test } from 'vitest'
import { type Database, open } from '../../src/index.js'

const databases: Database[] = []

async function opened(...args: Parameters<typeof open>): Promise<Database> {
  const db = await open(...args)
  databases.push(db)
  return db
}

afterEach(async () => {
  await Promise.allSettled(databases.splice(0).map((db) => db.close()))
})

describe('locations', () => {
  test('a directory keeps what was written, through close and open', async () => {
    const path = tempDirectory()
    {
      await using db = await open(`file:${path}`)
      await db.table('t', { keys: 'utf8', values: 'json' }).put('k', { n: 1 })
    }
    const db = await opened(`file:${path}`)
    // Options that are left out are those the table was created with.
    expect(await db.table<string, unknown>('t').get('k')).toEqual({ n: 1 })
  })

  test('memory: is fresh each time, memory:name is the same database', async () => {
    const a = await opened('memory:')
    const b = await opened('memory:')
    await a.table('t', { keys: 'utf8', values: 'utf8' }).put('k', 'a')
    expect(await b.table('t', { keys: 'utf8', values: 'utf8' }).get('k')).toBeUndefined()

    const first = await opened('memory:shared', { maxStalenessMs: 0 })
    const second = await opened('memory:shared', { maxStalenessMs: 0 })
    await first.table('t', { keys: 'utf8', values: 'utf8' }).put('k', 'first')
    const read = second.table('t', { keys: 'utf8', values: 'utf8' })
    expect(await read.get('k', { fresh: true })).toBe('first')
    await read.put('k', 'second')
    await first.refresh()
    expect(await first.table<string, string>('t').get('k')).toBe('second')
  })

  test.each([
    ['./data', /put 'file:' in front/],
    ['file:', /directory is missing/],
    ['file://host/data', /host name/],
    ['file:./a%zz', /hexadecimal/],
    ['file:./a%00b', /NUL/],
    ['file:./data?log=paper', /unknown log "paper"/],
    ['file:./data?lgo=file', /unknown parameter "lgo"/],
    ['ftp://host/data', /"ftp:"/],
  ])('39: %s is refused with what to do', async (location, message) => {
    await expect(open(location)).rejects.toMatchObject({
      code: 'FIRN_INVALID_ARGUMENT',
      message: expect.stringMatching(message),
    })
  })

  test.each([
    's3://me:secret@bucket/x',
    's3://me:se@secret@bucket/x?log=paper',
    'file://me:secret@host/x',
    'file:./x?token=secret',
    'ftp://me:secret@host/data',
    '//me:secret@host',
  ])('43: what is secret in %s is in no message', async (location) => {
    const error: unknown = await open(location).catch((error: unknown) => error)
    expect(error).toMatchObject({ code: 'FIRN_INVALID_ARGUMENT' })
    expect(inspect(error)).not.toContain('secret')
  })

  test('unknown options and impossible values are refused', async () => {
    await expect(open('memory:', { memtabelBytes: 1 } as never)).rejects.toThrow(/memtabelBytes/)
    await expect(open('memory:', { memtableBytes: -1 })).rejects.toThrow(/memtableBytes/)
    await expect(open('memory:', { mode: 'append' as never })).rejects.toThrow(/'write' or 'read'/)
  })

  test('reading what is not there makes nothing', async () => {
    const path = join(tempDirectory(), 'absent')
    await expect(open(`file:${path}`, { mode: 'read' })).rejects.toMatchObject({
      code: 'FIRN_DATABASE_NOT_FOUND',
    })
    await expect(open(`file:${path}`, { createIfMissing: false })).rejects.toMatchObject({
      code: 'FIRN_DATABASE_NOT_FOUND',
    })
    expect(existsSync(path)).toBe(false)
  })

  test('37: a database of a future format is refused before anything is written', async () => {
    const path = tempDirectory()
    await (await open(`file:${path}`)).close()
    const before = readdirSync(path).sort()
    writeFileSync(join(path, 'FIRN'), JSON.stringify({ format: 99, incarnation: 'x' }))
    await expect(open(`file:${path}`)).rejects.toMatchObject({ code: 'FIRN_FORMAT_VERSION' })
    expect(readdirSync(path).sort()).toEqual(before)
  })

  test('10: a log of another database is not taken for this one’s', async () => {
    const path = tempDirectory()
    {
      await using db = await open(`file:${path}`)
      await db.table('t').put(new Uint8Array(1), new Uint8Array(1))
    }
    rmSync(join(path, 'FIRN'))
    await expect(open(`file:${path}`)).rejects.toMatchObject({ code: 'FIRN_CORRUPTION' })
  })

  test('the kind of log is not mistaken: each would not see what the other holds', async () => {
    const [one, many] = [tempDirectory(), tempDirectory()]
    await (await open(`file:${one}`)).close()
    await (await open(`file:${many}?log=objects`)).close()
    await expect(open(`file:${one}?log=objects`)).rejects.toThrow(/log in file, not in objects/)
    await expect(open(`file:${many}`)).rejects.toThrow(/with ?\?log=objects/)
  })

  test('a directory that holds something else is not taken over', async () => {
    const path = tempDirectory()
    mkdirSync(join(path, 'FIRN'))
    await expect(open(`file:${path}`)).rejects.toMatchObject({
      code: expect.stringMatching(/^FIRN_/),
    })
  })
})

describe('one writer per directory', () => {
  test('33: a second one gets an error that says who holds it; readers get in', async () => {
    const path = tempDirectory()
    const db = await opened(`file:${path}`)
    await db.table('t', { keys: 'utf8', values: 'utf8' }).put('k', 'v')
    await expect(open(`file:${path}`)).rejects.toMatchObject({
      code: 'FIRN_LOCKED',
      message: expect.stringContaining('this process'),
    })
    const reader = await opened(`file:${path}`, { mode: 'read' })
    expect(await reader.table<string, string>('t').get('k')).toBe('v')
    await db.table<string, string>('t').put('k', 'newer')
    await reader.refresh()
    expect(await reader.table<string, string>('t').get('k')).toBe('newer')
    await db.close()
    await opened(`file:${path}`)
  })

  test('a reader refuses writes', async () => {
    const path = tempDirectory()
    await (await open(`file:${path}`)).close()
    const db = await opened(`file:${path}`, { mode: 'read' })
    await expect(db.table('t').put(new Uint8Array(1), new Uint8Array(1))).rejects.toMatchObject({
      code: 'FIRN_READ_ONLY',
    })
    expect(() => db.table('t')).not.toThrow()
    await expect(db.compact()).rejects.toMatchObject({ code: 'FIRN_READ_ONLY' })
    await expect(
      db.batch().put(db.table('t'), new Uint8Array(1), new Uint8Array(1)).write(),
    ).rejects.toMatchObject({
      code: 'FIRN_READ_ONLY',
    })
  })
})

describe('close', () => {
  test('41: makes buffered writes durable; afterwards everything says so', async () => {
    const path = tempDirectory()
    const db = await open(`file:${path}`)
    const table = db.table('t', { keys: 'utf8', values: 'utf8' })
    await table.put('k', 'v')
    await table.put('b', 'buffered', { durability: 'buffered' })
    expect(await table.get('b')).toBe('buffered')
    const snapshot = await db.snapshot()
    await Promise.all([db.close(), db.close()])
    await db.close()
    const uses: (() => Promise<unknown>)[] = [
      () => table.get('k'),
      () => table.put('k', 'x'),
      () => table.scan().toArray(),
      () => table.getMany(['k']),
      () => table.has('k'),
      () => db.flush(),
      () => db.refresh(),
      () => db.snapshot(),
      () => db.stats(),
      () => db.tables(),
      async () => snapshot.table('t').get(new Uint8Array(1)),
    ]
    for (const use of uses) {
      await expect(use()).rejects.toMatchObject({ code: 'FIRN_CLOSED' })
    }
    expect(() => table.getSync('k')).toThrow(/closed/)
    expect(() => db.batch()).toThrow(/closed/)
    const again = await opened(`file:${path}`)
    expect(await again.table<string, string>('t').get('b')).toBe('buffered')
  })

  test('41: during writes and scans: each ends well or says that the database is closed', async () => {
    const path = tempDirectory()
    const db = await open(`file:${path}`, { memtableBytes: 16_384, compaction: 'inline' })
    const table = db.table('t', { keys: 'utf8', values: 'utf8' })
    await table.put('first', 'v')
    const acknowledged: string[] = []
    const work = Array.from({ length: 200 }, async (_, i) => {
      await table.put(`key ${i}`, 'x'.repeat(300))
      acknowledged.push(`key ${i}`)
      for await (const _row of table.scan()) if (i % 3 === 0) break
    })
    await Promise.race(work)
    const closed = db.close()
    for (const result of await Promise.allSettled(work)) {
      if (result.status === 'rejected') expect(result.reason).toMatchObject({ code: 'FIRN_CLOSED' })
    }
    await closed
    const again = await opened(`file:${path}`)
    const kept = new Set(await collectKeys(again))
    for (const key of acknowledged) expect(kept.has(key)).toBe(true)
  })
})

async function collectKeys(db: Database): Promise<string[]> {
  return db.table<string, string>('t').keys().toArray()
}
