import { createHash } from 'node:crypto'
import { patientEnv } from '@firn/env/testing'
import { createTable, startDynamoDb } from '@firn/local-services'
import { describe, expect, test } from 'vitest'
import { type Database, open } from '../../src/index.js'
import { locateParts } from '../../src/parts.js'
import { cloud, LOGS, newLocation } from './places.js'

const TEXT = { keys: 'utf8', values: 'utf8' } as const

/** Requests of all kinds that some work made. */
async function requestsOf(db: Database, work: () => Promise<unknown>): Promise<number> {
  return (await db.explain(work)).requests.requests
}

describe.skipIf(cloud === undefined)('a database in S3', () => {
  test.each(LOGS)('is the same for every process, at once or on refresh (%s)', async (log) => {
    const location = await newLocation(log)
    await using a = await open(location, { maxStalenessMs: 3_600_000 })
    await using b = await open(location, { maxStalenessMs: 3_600_000 })
    const [inA, inB] = [a.table('t', TEXT), b.table('t', TEXT)]
    const first = await inA.put('k', 'from a')
    expect(await inB.get('k')).toBeUndefined()
    expect(await inB.get('k', { fresh: true })).toBe('from a')
    const second = await inB.put('k', 'from b')
    expect(second.version).toBeGreaterThan(first.version)
    await a.refresh()
    expect(await inA.get('k')).toBe('from b')
    expect(await inA.get('k', { at: { version: first.version } })).toBe('from a')
    // Neither has read what the other commits here, and none is lost.
    await Promise.all(
      Array.from({ length: 40 }, (_, i) => (i % 2 ? inA : inB).put(`many ${i}`, String(i))),
    )
    await Promise.all([a.refresh(), b.refresh()])
    expect(a.version).toBe(b.version)
    expect(await inA.scan().toArray()).toEqual(await inB.scan().toArray())
    expect(await inA.count({ prefix: 'many ' })).toBe(40)
  })

  test.each([
    ['dynamodb', 9],
    ['objects', 9],
  ] as const)('makes requests that can be counted and priced (%s)', async (log, toCreate) => {
    const location = await newLocation(log)
    await using db = await open(location, { env: patientEnv })
    expect((await db.stats()).requests.requests).toBeLessThanOrEqual(toCreate)
    const table = db.table('t', TEXT)
    await table.put('first', 'makes the table')

    const put = await db.explain(() => table.put('k', 'v'))
    expect(put.requests.requests).toBe(1)
    expect(put.requests.dollars).toBeCloseTo(log === 'dynamodb' ? 0.625e-6 : 5e-6, 9)
    expect(await requestsOf(db, () => table.get('k'))).toBe(0)
    // Whatever its size: one object with all tables, and one entry.
    const large = db.batch()
    for (let i = 0; i < 20_000; i++) {
      large.put(table, `row ${i}`, createHash('sha512').update(String(i)).digest('hex'))
      large.put(db.table(`other-${i % 3}`, TEXT), `row ${i}`, 'v')
    }
    for (const name of [0, 1, 2]) await db.table(`other-${name}`, TEXT).put('first', 'v')
    expect(await requestsOf(db, () => large.write())).toBe(2)

    await using other = await open(location, { env: patientEnv })
    expect((await other.stats()).requests.requests).toBeLessThanOrEqual(
      // Each entry of a log in S3 is an object.
      log === 'dynamodb' ? 4 : 20,
    )
    const read = other.table('t', TEXT)
    expect(await requestsOf(other, () => read.get('row 777'))).toBe(2)
    expect(await requestsOf(other, () => read.get('row 19999'))).toBe(1)
    expect(await requestsOf(other, () => read.get('row 19999'))).toBe(0)
    expect(await requestsOf(other, () => read.get('row that is not there'))).toBe(0)
  })

  test.each(LOGS)(
    'opens with few requests after many commits, flushed on the way (%s)',
    async (log) => {
      const location = await newLocation(log)
      {
        await using db = await open(location, { memtableBytes: 64 * 1024, compaction: 'inline' })
        const table = db.table('t', TEXT)
        for (let round = 0; round < 30; round++) {
          await Promise.all(
            Array.from({ length: 50 }, (_, i) => table.put(`key ${round} ${i}`, 'x'.repeat(200))),
          )
        }
        expect((await db.stats()).flushes.count).toBeGreaterThan(2)
      }
      await using db = await open(location, { mode: 'read' })
      expect(await db.table('t', TEXT).count()).toBe(1500)
      if (log === 'dynamodb') {
        await using fresh = await open(location, { mode: 'read' })
        expect((await fresh.stats()).requests.requests).toBeLessThanOrEqual(6)
      }
    },
  )

  test('whose log is another, empty table is damaged for tools that look below, too', async () => {
    const location = await newLocation('dynamodb')
    await (await open(location)).close()
    const tableName = location.split('dynamodb:')[1] as string
    const elsewhere = await startDynamoDb()
    const endpoint = process.env['AWS_ENDPOINT_URL_DYNAMODB']
    try {
      await createTable(elsewhere, tableName)
      process.env['AWS_ENDPOINT_URL_DYNAMODB'] = elsewhere.endpoint
      const lost = { code: 'FIRN_CORRUPTION', message: expect.stringMatching(/no entries, but/) }
      await expect(open(location, { mode: 'read' })).rejects.toMatchObject(lost)
      const parts = await locateParts(location)
      await expect(parts.openLog(await parts.findIncarnation())).rejects.toMatchObject(lost)
      await parts.close()
    } finally {
      process.env['AWS_ENDPOINT_URL_DYNAMODB'] = endpoint
      await elsewhere.stop()
    }
    const parts = await locateParts(location)
    await (await parts.openLog(await parts.findIncarnation())).close()
    await parts.close()
  })

  test('of a name that is not there is not found, and not made for a reader', async () => {
    const location = await newLocation('dynamodb')
    await expect(open(location, { mode: 'read' })).rejects.toMatchObject({
      code: 'FIRN_DATABASE_NOT_FOUND',
    })
    await expect(open('s3://firn-no-such-bucket/x?log=objects')).rejects.toMatchObject({
      message: expect.stringMatching(/bucket/i),
    })
    await expect(open(location.replace(/dynamodb:.*/, 'dynamodb:no-such-table'))).rejects.toThrow(
      /table/i,
    )
  })
})

test.each([
  ['s3:', /no bucket/],
  ['s3://Bucket/x', /small letters/],
  ['s3://bucket/a//b', /segments/],
  ['s3://bucket/a b', /segments/],
  ['s3://bucket/x?log=paper', /unknown log "paper"/],
  ['s3://bucket/x?log=dynamodb:a b', /unknown log/],
  ['s3://bucket/x?region=eu', /unknown parameter "region"/],
])('%s is refused with what to do', async (location, message) => {
  await expect(open(location)).rejects.toMatchObject({
    code: 'FIRN_INVALID_ARGUMENT',
    message: expect.stringMatching(message),
  })
})
