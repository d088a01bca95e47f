import {
  CUT_REPLY,
  denied,
  dynamoDbAnswers,
  type HttpFault,
  type ProxiedRequest,
  randomFault,
  refused,
  s3Answers,
  startFaultProxy,
} from '@firn/local-services'
import { afterEach, describe, expect, test } from 'vitest'
import { open } from '../../src/index.js'
import { cloud, LOGS, newLocation } from './places.js'

const TEXT = { keys: 'utf8', values: 'utf8' } as const
const S3 = 'AWS_ENDPOINT_URL_S3'
const DYNAMODB = 'AWS_ENDPOINT_URL_DYNAMODB'

let seed = 7
function random(): number {
  seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0
  return seed / 2 ** 32
}

const running: { stop(): Promise<void> }[] = []
afterEach(async () => {
  Object.assign(process.env, cloud)
  for (const proxy of running.splice(0)) await proxy.stop()
})

/** From now on, what is opened talks to this service through a proxy. */
async function behindProxy(
  service: typeof S3 | typeof DYNAMODB,
  choose: (request: ProxiedRequest) => HttpFault | undefined,
): Promise<{ readonly faults: number }> {
  const proxy = await startFaultProxy(cloud?.[service] ?? '', choose)
  running.push(proxy)
  process.env[service] = proxy.endpoint
  return proxy
}

describe.skipIf(cloud === undefined)('where the services fail', () => {
  test.each(LOGS)(
    '12: throttled and cut replies make it slower, and nothing else (%s)',
    async (log) => {
      const location = await newLocation(log)
      const slowDown = refused(s3Answers.SLOW_DOWN)
      const s3 = await behindProxy(S3, ({ method }) =>
        randomFault(random, 0.2, method === 'GET' ? [slowDown, CUT_REPLY] : [slowDown]),
      )
      const throttled = refused(dynamoDbAnswers.THROUGHPUT_EXCEEDED)
      if (log === 'dynamodb')
        await behindProxy(DYNAMODB, () => randomFault(random, 0.2, [throttled]))
      const rows = Array.from(
        { length: 300 },
        (_, i) => [`row ${1000 + i}`, 'x'.repeat(i)] as const,
      )
      {
        await using db = await open(location, { memtableBytes: 16 * 1024, compaction: 'inline' })
        const table = db.table('t', TEXT)
        for (let i = 0; i < rows.length; i += 30) {
          await Promise.all(rows.slice(i, i + 30).map(([key, value]) => table.put(key, value)))
        }
      }
      await using db = await open(location)
      expect(await db.table('t', TEXT).scan().toArray()).toEqual(rows)
      expect(s3.faults).toBeGreaterThan(0)
    },
  )

  test('6: a conflict of conditional requests says nothing: the commit is made, once', async () => {
    const location = await newLocation('objects')
    await (await open(location)).close()
    const conflict = s3Answers.CONDITIONAL_REQUEST_CONFLICT
    // One that S3 refused, and one that it did all the same.
    const faults = [refused(conflict), denied(conflict)]
    await behindProxy(S3, ({ method, path }) =>
      method === 'PUT' && path.includes('/log/') ? faults.shift() : undefined,
    )
    await using db = await open(location)
    const before = db.version
    await db.table('t', TEXT).put('a', 'v')
    await db.table('t', TEXT).put('b', 'v')
    expect(faults).toEqual([])
    expect(db.version).toBe(before + 2)
    expect(await db.table('t', TEXT).keys().toArray()).toEqual(['a', 'b'])
  })

  test.each(LOGS)(
    '28: a store that ignores If-None-Match is found out when a database is made (%s)',
    async (log) => {
      const location = await newLocation(log)
      const kept = { status: 200, headers: { etag: '"kept"' }, body: '' }
      await behindProxy(S3, ({ method, headers }) =>
        method === 'PUT' && headers['if-none-match'] !== undefined ? denied(kept) : undefined,
      )
      await expect(open(location)).rejects.toMatchObject({
        code: 'FIRN_UNSUPPORTED',
        message: expect.stringMatching(/If-None-Match.*use another service/),
      })
    },
  )

  test('28: … and at every open of one whose log is in it', async () => {
    const location = await newLocation('objects')
    await (await open(location)).close()
    const kept = { status: 200, headers: { etag: '"kept"' }, body: '' }
    await behindProxy(S3, ({ method, headers }) =>
      method === 'PUT' && headers['if-none-match'] !== undefined ? denied(kept) : undefined,
    )
    await expect(open(location)).rejects.toMatchObject({ code: 'FIRN_UNSUPPORTED' })
  })

  test('who may not is told so, and what to look at', async () => {
    const location = await newLocation('dynamodb')
    await (await open(location)).close()
    await behindProxy(S3, () => refused(s3Answers.ACCESS_DENIED))
    await expect(open(location)).rejects.toMatchObject({
      code: expect.stringMatching(/^FIRN_/),
      retryable: false,
      message: expect.stringMatching(
        /AccessDenied.*check the policies|don’t allow|don.t allow the request/,
      ),
    })
    process.env[S3] = cloud?.[S3] ?? ''
    await behindProxy(DYNAMODB, () => refused(dynamoDbAnswers.ACCESS_DENIED))
    await expect(open(location)).rejects.toMatchObject({
      code: expect.stringMatching(/^FIRN_/),
      retryable: false,
      message: expect.stringMatching(
        /AccessDenied.*check the policies|don’t allow|don.t allow the request/,
      ),
    })
  })

  test('credentials that end while a database is open fail that call, typed, and nothing is lost', async () => {
    const location = await newLocation('dynamodb')
    let expired = false
    await behindProxy(DYNAMODB, () =>
      expired ? refused(dynamoDbAnswers.EXPIRED_TOKEN) : undefined,
    )
    await using db = await open(location)
    const table = db.table('t', TEXT)
    await table.put('before', 'v')
    expired = true
    await expect(table.put('meanwhile', 'v')).rejects.toMatchObject({
      code: expect.stringMatching(/^FIRN_/),
      message: expect.stringMatching(/credential|token|expired/i),
    })
    expect(await table.get('before')).toBe('v')
    expired = false
    await table.put('after', 'v')
    expect(await table.keys().toArray()).toEqual(['after', 'before'])
  })
})
