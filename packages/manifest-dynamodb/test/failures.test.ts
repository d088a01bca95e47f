import { AmbiguousAppendError, resolveCommit } from '@firn/commit-log'
import { type Env, systemEnv } from '@firn/env'
import {
  dynamoDbAnswers,
  HANG,
  type HttpAnswer,
  LOST_REPLY,
  LOST_REQUEST,
  refused,
  SILENT_SUCCESS,
} from '@firn/local-services'
import { describe, expect, test, vi } from 'vitest'
import {
  createTable,
  DynamoDbCommitLog,
  DynamoDbError,
  type DynamoDbErrorReason,
  type DynamoDbRequest,
} from '../src/index.js'
import { createDynamoDbClient } from '../src/node.js'
import { clientOf, collect, describeServices, newEntry } from './fixtures.js'
import { behindProxy, inTurn, operationOf } from './proxy.js'

/** Pauses between attempts take no time; timeouts do. */
const env = { ...systemEnv, random: () => 0 }
const HTML: HttpAnswer = { status: 200, headers: { 'content-type': 'text/html' }, body: '<html>' }
const EMPTY: HttpAnswer = { status: 200, headers: {}, body: '' }

/** An item without most of its attributes. */
const DAMAGED = { id: { S: 'log' }, version: { N: '1' } }

function answerOf(status: number, body: object): HttpAnswer {
  const headers = { 'content-type': 'application/x-amz-json-1.0' }
  return { status, headers, body: JSON.stringify(body) }
}

function reasonOf(error: unknown): DynamoDbErrorReason | undefined {
  return error instanceof DynamoDbError ? error.reason : undefined
}

describeServices('when DynamoDB doesn’t do what it is asked', (table) => {
  test('26: a page of the log that came damaged is asked for once more', async () => {
    const damaged = refused(answerOf(200, { Items: [DAMAGED], Count: 1, ScannedCount: 1 }))
    const { options } = await behindProxy(table(), inTurn([damaged], 'Query'))
    const log = new DynamoDbCommitLog({ ...options, env })
    await log.append(newEntry(1))
    expect(await collect(log.readAfter(0))).toHaveLength(1)
    const twice = await behindProxy(table(), inTurn([damaged, damaged], 'Query'))
    const reading = collect(new DynamoDbCommitLog({ ...twice.options, env }).readAfter(0))
    await expect(reading).rejects.toMatchObject({ code: 'FIRN_CORRUPTION' })
  })

  describe('that answers late', () => {
    /** Seconds are tenths of seconds. Waits for an answer that doesn't come outlast the test. */
    const hasty: Env = {
      ...systemEnv,
      sleep: (ms, signal, options) => systemEnv.sleep(ms / 10, signal, options),
    }
    const patient = { env: hasty, requestTimeoutMs: 10_000_000 }

    test('a reader doesn’t wait for one page of the log', async () => {
      const { options } = await behindProxy(table(), inTurn([HANG], 'Query'))
      const log = new DynamoDbCommitLog({ ...options, ...patient })
      await log.append(newEntry(1))
      expect(await collect(log.readAfter(0))).toHaveLength(1)
    })

    test('a commit whose reply is late is known to be in as soon as its entry is read', async () => {
      const { options } = await behindProxy(table(), inTurn([SILENT_SUCCESS], 'PutItem'))
      const log = new DynamoDbCommitLog({ ...options, ...patient })
      expect(await log.append(newEntry(1))).toEqual({ appended: true })
    })

    test('a commit whose request is late is not taken for lost, and made once more', async () => {
      const { options } = await behindProxy(table(), inTurn([HANG], 'PutItem'))
      const log = new DynamoDbCommitLog({ ...options, ...patient })
      expect(await log.append(newEntry(1))).toEqual({ appended: true })
      expect(await collect(log.readAfter(0))).toHaveLength(1)
    })
  })

  describe('an append', () => {
    const refusals: [DynamoDbErrorReason, HttpAnswer, number][] = [
      ['throttled', dynamoDbAnswers.THROUGHPUT_EXCEEDED, 8],
      ['throttled', dynamoDbAnswers.THROTTLED, 8],
      ['throttled', dynamoDbAnswers.REQUEST_LIMIT_EXCEEDED, 8],
      ['permission', dynamoDbAnswers.ACCESS_DENIED, 1],
      ['credentials', dynamoDbAnswers.UNRECOGNIZED_CLIENT, 1],
      ['credentials', dynamoDbAnswers.EXPIRED_TOKEN, 1],
      ['credentials', dynamoDbAnswers.INVALID_SIGNATURE, 1],
    ]
    for (const [reason, answer, attempts] of refusals) {
      test(`certainly failed where it was refused: ${JSON.parse(answer.body).__type}`, async () => {
        const { proxy, options } = await behindProxy(table(), () => refused(answer))
        const log = new DynamoDbCommitLog({ ...options, env })
        const error: unknown = await log.append(newEntry(1)).catch((error: unknown) => error)
        expect(reasonOf(error)).toBe(reason)
        const retryable = reason === 'throttled'
        expect(error).toMatchObject({ code: 'FIRN_DYNAMODB', maybeDone: false, retryable })
        expect((error as Error).message).toContain(options.tableName)
        expect(proxy.requests).toBe(attempts)
      })
    }

    test('26: that meets another entry in a damaged answer reads that one back', async () => {
      const __type = 'com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException'
      const damaged = refused(answerOf(400, { __type, message: 'no', Item: DAMAGED }))
      const { proxy, options } = await behindProxy(table(), inTurn([damaged], 'PutItem'))
      const winner = newEntry(1)
      const client = clientOf(table().service)
      await new DynamoDbCommitLog({ ...options, client }).append(winner)
      client.destroy()
      const result = await new DynamoDbCommitLog({ ...options, env }).append(newEntry(1))
      expect(result).toMatchObject({ appended: false, winner: { token: winner.token } })
      expect(proxy.requests).toBe(2)
    })

    test('12: that was throttled is made again, until it is done', async () => {
      const throttled = refused(dynamoDbAnswers.THROUGHPUT_EXCEEDED)
      const { proxy, options } = await behindProxy(table(), inTurn([throttled, throttled]))
      const seen: DynamoDbRequest[] = []
      const onRequest = (request: DynamoDbRequest) => seen.push(request)
      const log = new DynamoDbCommitLog({ ...options, env, onRequest })
      expect(await log.append(newEntry(1))).toEqual({ appended: true })
      expect(proxy.requests).toBe(3)
      expect(seen.map(({ outcome, writeUnits }) => ({ outcome, writeUnits }))).toEqual([
        { outcome: 'failed', writeUnits: 0 },
        { outcome: 'failed', writeUnits: 0 },
        { outcome: 'done', writeUnits: 1 },
      ])
    })

    test('5: is made once, and unknown where there is no certain answer', async () => {
      const doubts = [
        [LOST_REPLY, 'unavailable', true],
        [LOST_REQUEST, 'unavailable', false],
        [SILENT_SUCCESS, 'timeout', true],
        [HANG, 'timeout', false],
        [refused(dynamoDbAnswers.INTERNAL_SERVER_ERROR), 'unavailable', false],
        [refused(dynamoDbAnswers.SERVICE_UNAVAILABLE), 'unavailable', false],
        [refused(HTML), 'bad-reply', false],
        [refused(EMPTY), 'bad-reply', false],
      ] as const
      for (const [fault, reason, done] of doubts) {
        const { proxy, options } = await behindProxy(table(), inTurn([fault]))
        const log = new DynamoDbCommitLog({ ...options, env, requestTimeoutMs: 200 })
        const entry = newEntry(1)
        const error: unknown = await log.append(entry).catch((error: unknown) => error)
        expect(error).toBeInstanceOf(AmbiguousAppendError)
        expect(reasonOf((error as Error).cause)).toBe(reason)
        expect(proxy.requests).toBe(1)
        const { outcome } = await resolveCommit(log, entry)
        expect(outcome).toBe(done ? 'committed' : 'unknown')
      }
    })

    test('42: whose caller gives up meanwhile is unknown, at once', async () => {
      const caller = new AbortController()
      const { options } = await behindProxy(table(), () => {
        caller.abort(new Error('changed my mind'))
        return HANG
      })
      const log = new DynamoDbCommitLog(options)
      const { signal } = caller
      const error: unknown = await log
        .append(newEntry(1), { signal })
        .catch((error: unknown) => error)
      expect(error).toBeInstanceOf(AmbiguousAppendError)
      expect((error as Error).cause).toBe(signal.reason)
      await log.close()
    })

    test('that never reached the service certainly failed', async () => {
      const { proxy, options } = await behindProxy(table(), () => undefined)
      await proxy.stop()
      const log = new DynamoDbCommitLog({ ...options, env })
      const error: unknown = await log.append(newEntry(1)).catch((error: unknown) => error)
      expect(reasonOf(error)).toBe('unavailable')
      expect(error).toMatchObject({ maybeDone: false, retryable: true })
    })
  })

  test('reads are made again after anything that may pass', async () => {
    const faults = [LOST_REPLY, HANG, refused(HTML), refused(EMPTY)]
    const failures = [
      refused(dynamoDbAnswers.SERVICE_UNAVAILABLE),
      refused(dynamoDbAnswers.THROUGHPUT_EXCEEDED),
    ]
    const choose = inTurn([...faults, ...failures], 'Query')
    const { proxy, options } = await behindProxy(table(), choose)
    const log = new DynamoDbCommitLog({ ...options, env, requestTimeoutMs: 200 })
    await log.append(newEntry(1))
    expect(await collect(log.readAfter(0))).toHaveLength(1)
    expect(proxy.requests).toBe(1 + 6 + 1)
  })

  test('reads end, where it doesn’t pass', async () => {
    const { proxy, options } = await behindProxy(table(), () =>
      refused(dynamoDbAnswers.INTERNAL_SERVER_ERROR),
    )
    const log = new DynamoDbCommitLog({ ...options, env })
    const error: unknown = await collect(log.readAfter(0)).catch((error: unknown) => error)
    expect(reasonOf(error)).toBe('unavailable')
    expect(proxy.requests).toBe(8)
    // All reads of a log share a budget, so that an outage doesn't cause eight times the load.
    for (let i = 0; i < 20; i++) await collect(log.readAfter(0)).catch(() => undefined)
    expect(proxy.requests).toBeLessThan(21 + 100 + 10)
  })

  test('42: a read whose caller gives up ends at once, with his reason', async () => {
    const caller = new AbortController()
    const reason = new Error('changed my mind')
    const { options } = await behindProxy(table(), () => {
      caller.abort(reason)
      return HANG
    })
    const log = new DynamoDbCommitLog(options)
    const read = collect(log.readAfter(0, { signal: caller.signal }))
    await expect(read).rejects.toBe(reason)
  })

  test('41: a read under way ends when the log is closed, even if the service doesn’t answer', async () => {
    let log: DynamoDbCommitLog | undefined
    const { proxy, options } = await behindProxy(table(), () => {
      void log?.close()
      return HANG
    })
    log = new DynamoDbCommitLog(options)
    await expect(collect(log.readAfter(0))).rejects.toMatchObject({ code: 'FIRN_CLOSED' })
    expect(proxy.requests).toBe(1)
  })

  test('a truncation goes on through failures, and says which it can’t survive', async () => {
    const faults = [LOST_REPLY, refused(dynamoDbAnswers.THROUGHPUT_EXCEEDED), LOST_REQUEST]
    const { options } = await behindProxy(table(), inTurn(faults, 'UpdateItem'))
    const log = new DynamoDbCommitLog({ ...options, env })
    for (let version = 1; version <= 5; version++) await log.append(newEntry(version))
    await log.truncate(4)
    const kept = (await collect(log.readAfter(0))).map(({ payload }) => payload !== undefined)
    expect(kept).toEqual([false, false, false, false, true])

    const { options: forbidden } = await behindProxy(table(), (request) =>
      operationOf(request) === 'UpdateItem' ? refused(dynamoDbAnswers.ACCESS_DENIED) : undefined,
    )
    const writer = new DynamoDbCommitLog(forbidden)
    await writer.append(newEntry(1))
    await expect(writer.truncate(1)).rejects.toMatchObject({ reason: 'permission' })
  })

  test('a table that isn’t there is said to be missing, and how to make it', async () => {
    const log = new DynamoDbCommitLog(table().options({ tableName: 'firn-nowhere' }))
    for (const call of [() => log.append(newEntry(1)), () => collect(log.readAfter(0))]) {
      const error: unknown = await call().catch((error: unknown) => error)
      expect(reasonOf(error)).toBe('no-table')
      expect((error as Error).message).toMatch(/'firn-nowhere'.*createTable/)
    }
  })

  test('23: a clock that is wrong by an hour is put right by the first answer', async () => {
    const date = new Date(systemEnv.now() / 1000 - 3_600_000).toUTCString()
    const { headers, ...answer } = dynamoDbAnswers.INVALID_SIGNATURE
    const skewed = refused({ ...answer, headers: { ...headers, date } })
    const { proxy, options } = await behindProxy(table(), inTurn([skewed]))
    const log = new DynamoDbCommitLog({ ...options, env })
    expect(await log.append(newEntry(1))).toEqual({ appended: true })
    expect(proxy.requests).toBe(2)
  })

  test('43: no error quotes what was signed', async () => {
    const { body, ...answer } = dynamoDbAnswers.INVALID_SIGNATURE
    const told = JSON.parse(body)
    told.message += '\n\nThe Canonical String should have been\nx-amz-security-token:geheim'
    const { options } = await behindProxy(table(), () =>
      refused({ ...answer, body: JSON.stringify(told) }),
    )
    const log = new DynamoDbCommitLog(options)
    const error: unknown = await log.append(newEntry(1)).catch((error: unknown) => error)
    const { inspect } = await import('node:util')
    expect(inspect(error, { depth: 10, showHidden: true })).not.toContain('geheim')
    expect((error as Error).cause).toMatchObject({ name: 'InvalidSignatureException' })
  })

  test('credentials that aren’t there are said to be missing', async () => {
    vi.stubEnv('AWS_EC2_METADATA_DISABLED', 'true')
    vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', '/nowhere/credentials')
    vi.stubEnv('AWS_CONFIG_FILE', '/nowhere/config')
    vi.stubEnv('AWS_ACCESS_KEY_ID', undefined)
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', undefined)
    vi.stubEnv('AWS_PROFILE', undefined)
    const { endpoint, region } = table().service
    const client = createDynamoDbClient({ endpoint, region })
    const log = new DynamoDbCommitLog(table().options({ client }))
    await expect(log.append(newEntry(1))).rejects.toMatchObject({ reason: 'credentials' })
    vi.unstubAllEnvs()
    client.destroy()
  })

  test('5: a client that repeats requests by itself is refused', async () => {
    const { service } = table()
    const client = clientOf(service)
    client.config.maxAttempts = async () => 3
    const log = new DynamoDbCommitLog(table().options({ client }))
    await expect(log.append(newEntry(1))).rejects.toMatchObject({ code: 'FIRN_INVALID_ARGUMENT' })
    await expect(createTable(client, { tableName: 'firn-other' })).rejects.toThrow(/maxAttempts/)
    client.destroy()
  })
})
