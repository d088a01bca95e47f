import { PutItemCommand } from '@aws-sdk/client-dynamodb'
import { type Lease, LeaseLostError, leaseKey } from '@firn/commit-log'
import { CorruptionError, FormatVersionError, systemEnv } from '@firn/env'
import { TestEnv } from '@firn/env/testing'
import {
  dynamoDbAnswers,
  HANG,
  LOST_REPLY,
  LOST_REQUEST,
  late,
  refused,
  TWICE,
} from '@firn/local-services'
import { expect, test } from 'vitest'
import { DynamoDbLeases, type DynamoDbRequest } from '../src/index.js'
import { describeServices } from './fixtures.js'
import { behindProxy, inTurn, operationOf } from './proxy.js'

const DURATION_MS = 10_000

async function acquire(leases: DynamoDbLeases): Promise<Lease> {
  const lease = await leases.acquire('flush', { durationMs: DURATION_MS })
  if (lease === undefined) throw new Error('the lease is not given')
  return lease
}

describeServices('a lease on DynamoDB', (table) => {
  test('takes two requests to acquire, one to renew, one to release', async () => {
    const kinds: string[] = []
    const onRequest = ({ kind }: DynamoDbRequest) => kinds.push(kind)
    const leases = new DynamoDbLeases(table().options({ onRequest }))
    const lease = await acquire(leases)
    await lease.renew()
    expect(await leases.acquire('flush', { durationMs: 1 })).toBeUndefined()
    await lease.release()
    expect(kinds).toEqual(['get', 'put', 'put', 'get', 'put'])
  })

  test('24: is acquired, renewed and released where reading back proves it', async () => {
    const faults = [LOST_REPLY, TWICE, LOST_REPLY, TWICE, LOST_REPLY, TWICE]
    const { proxy, options } = await behindProxy(table(), inTurn(faults, 'PutItem'))
    const leases = new DynamoDbLeases(options)
    for (const epoch of [1, 2]) {
      const lease = await acquire(leases)
      expect(lease.epoch).toBe(epoch)
      await lease.renew()
      await lease.release()
    }
    expect(proxy.faults).toBe(6)
  })

  test('24: counts as lost where a renewal may or may not arrive', async () => {
    for (const fault of [LOST_REQUEST, HANG, late(50)]) {
      const { proxy, options } = await behindProxy(table(), (request) =>
        operationOf(request) === 'PutItem' && ++puts === 2 ? fault : undefined,
      )
      let puts = 0
      const leases = new DynamoDbLeases({ ...options, requestTimeoutMs: 200 })
      const lease = await acquire(leases)
      await expect(lease.renew()).rejects.toThrow(LeaseLostError)
      expect(lease.remainingMs()).toBe(0)
      await proxy.settled()
      // A request that arrived after all blocks others only for its duration.
      const env = new TestEnv()
      const next = new DynamoDbLeases({ ...options, env })
      expect(await next.acquire('flush', { durationMs: 1 })).toBeUndefined()
      env.advance(DURATION_MS)
      expect((await acquire(next)).epoch).toBe(2)
    }
  })

  test('is still held where a renewal was throttled away', async () => {
    let throttled = false
    const { options } = await behindProxy(table(), (request) =>
      throttled && operationOf(request) === 'PutItem'
        ? refused(dynamoDbAnswers.THROUGHPUT_EXCEEDED)
        : undefined,
    )
    const env = { ...systemEnv, random: () => 0 }
    const leases = new DynamoDbLeases({ ...options, env })
    const lease = await acquire(leases)
    throttled = true
    await expect(lease.renew()).rejects.toMatchObject({ reason: 'throttled', retryable: true })
    expect(lease.remainingMs()).toBeGreaterThan(0)
    throttled = false
    await lease.renew()
  })

  test('that is damaged is a typed error, never free', async () => {
    const options = table().options()
    const { client, tableName, incarnation } = options
    const whole = {
      id: { S: leaseKey(incarnation, 'flush') },
      version: { N: '0' },
      format: { N: '1' },
      epoch: { N: '7' },
      renewals: { N: '0' },
      durationMs: { N: '10000' },
      crc: { N: '1' },
    }
    const leases = new DynamoDbLeases(options)
    await client.send(new PutItemCommand({ TableName: tableName, Item: whole }))
    await expect(acquire(leases)).rejects.toThrow(CorruptionError)
    const newer = { ...whole, format: { N: '2' } }
    await client.send(new PutItemCommand({ TableName: tableName, Item: newer }))
    await expect(acquire(leases)).rejects.toThrow(FormatVersionError)
  })
})
