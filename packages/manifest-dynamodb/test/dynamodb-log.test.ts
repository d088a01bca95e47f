import { type AttributeValue, PutItemCommand } from '@aws-sdk/client-dynamodb'
import { type CommitLog, SpillingCommitLog, spillPrefix } from '@firn/commit-log'
import {
  CorruptionError,
  type Env,
  FormatVersionError,
  InvalidArgumentError,
  systemEnv,
} from '@firn/env'
import { patientEnv } from '@firn/env/testing'
import { MemoryObjectStore } from '@firn/object-store'
import { describe, expect, test } from 'vitest'
import {
  DynamoDbCommitLog,
  DynamoDbLeases,
  type DynamoDbOptions,
  type DynamoDbRequest,
  MAX_PAYLOAD_BYTES,
} from '../src/index.js'
import { itemBytes, readUnits, writeUnits } from '../src/internal/item-size.js'
import { clientOf, collect, deleteItem, describeServices, getItem, newEntry } from './fixtures.js'

type Item = Record<string, AttributeValue>

async function fill(log: CommitLog, from: number, to: number, bytes = 10): Promise<void> {
  for (let version = from; version <= to; version++) {
    await log.append(newEntry(version, new Uint8Array(bytes).fill(version)))
  }
}

async function putItem({ client, tableName }: DynamoDbOptions, item: Item): Promise<void> {
  await client.send(new PutItemCommand({ TableName: tableName, Item: item }))
}

function flip(bytes: Uint8Array): Uint8Array {
  return bytes.with(bytes.length >> 1, (bytes[bytes.length >> 1] ?? 0) ^ 8)
}

describeServices('the log on DynamoDB', (table) => {
  test('makes the requests that it must, and no more', async () => {
    let requests: DynamoDbRequest[] = []
    const onRequest = (request: DynamoDbRequest) => requests.push(request)
    const log = new DynamoDbCommitLog(table().options({ onRequest, env: patientEnv }))
    const made = async (work: () => Promise<unknown>) => {
      requests = []
      await work()
      const kinds: Record<string, number> = {}
      for (const { kind } of requests) kinds[kind] = (kinds[kind] ?? 0) + 1
      return kinds
    }
    expect(await made(() => fill(log, 1, 40))).toEqual({ put: 40 })
    expect(requests.every(({ writeUnits, readUnits }) => writeUnits === 1 && readUnits === 0)).toBe(
      true,
    )
    // Opening and refreshing: one request in any case.
    expect(await made(() => collect(log.readAfter(0)))).toEqual({ query: 1 })
    expect(await made(() => collect(log.readAfter(38)))).toEqual({ query: 1 })
    expect(await made(() => collect(log.readAfter(40)))).toEqual({ query: 1 })
    expect(requests).toMatchObject([{ writeUnits: 0, outcome: 'done', bytesRead: 0 }])
    expect(await made(() => collect(log.readAfter(30, { limit: 1 })))).toEqual({ query: 1 })
    // Losing: the answer has the winning entry.
    expect(await made(() => log.append(newEntry(40)))).toEqual({ put: 1 })
    expect(requests).toMatchObject([{ outcome: 'condition-failed', writeUnits: 1 }])
    // Truncating: a search on the first call, one update for each entry.
    const first = await made(() => log.truncate(20))
    expect(first['update']).toBe(20)
    expect(first['get']).toBeLessThanOrEqual(5)
    expect(await made(() => log.truncate(20))).toEqual({})
    expect(await made(() => log.truncate(21))).toEqual({ update: 1 })
  })

  test('14: never reads what may be stale', async () => {
    const client = clientOf(table().service)
    const reads: (boolean | undefined)[] = []
    client.middlewareStack.add(
      (next, { commandName = '' }) =>
        (call) => {
          const { ConsistentRead } = call.input as { ConsistentRead?: boolean }
          if (/Get|Query|Scan/.test(commandName)) reads.push(ConsistentRead)
          return next(call)
        },
      { step: 'initialize' },
    )
    const log = new DynamoDbCommitLog(table().options({ client }))
    await fill(log, 1, 10)
    await collect(log.readAfter(0))
    await log.append(newEntry(3))
    await log.truncate(5)
    await new DynamoDbLeases(table().options({ client })).acquire('flush', { durationMs: 1 })
    expect(new Set(reads)).toEqual(new Set([true]))
    client.destroy()
  })

  test('truncates at a pace that leaves the partition to commits', async () => {
    const requestTimeoutMs = 12_345
    const pauses: number[] = []
    const env: Env = {
      ...systemEnv,
      monotonic: () => 0,
      sleep: (ms, signal, options) => {
        // The ones in the background are for late requests.
        if (ms !== requestTimeoutMs && options?.background !== true) pauses.push(ms)
        return systemEnv.sleep(ms, signal, options)
      },
    }
    const log = new DynamoDbCommitLog(table().options({ env, requestTimeoutMs }))
    await fill(log, 1, 20, 2000)
    await log.truncate(20)
    // Eight entries of three units each, at 300 units a second; none after the last.
    expect(pauses).toEqual([80, 80])
  })

  test('reads a long tail by pages, each once', async () => {
    const requests: DynamoDbRequest[] = []
    const onRequest = (request: DynamoDbRequest) => requests.push(request)
    const log = new DynamoDbCommitLog(table().options({ onRequest }))
    await fill(log, 1, 14, 200_000)
    requests.length = 0
    const entries = await collect(log.readAfter(0))
    expect(entries.map(({ version, payload }) => [version, payload?.[0]])).toEqual(
      Array.from({ length: 14 }, (_, i) => [i + 1, i + 1]),
    )
    expect(requests.length).toBeGreaterThanOrEqual(3)
    expect(requests.length).toBeLessThanOrEqual(4)
    // A reader that stops early requests no more pages.
    requests.length = 0
    for await (const { version } of log.readAfter(0)) if (version === 2) break
    expect(requests).toHaveLength(1)
    requests.length = 0
    expect(await collect(log.readAfter(2, { limit: 9 }))).toHaveLength(9)
    expect(requests).toHaveLength(2)
  })

  test('counts an item’s bytes and units as DynamoDB does', async () => {
    const requests: DynamoDbRequest[] = []
    const options = table().options({ onRequest: (request) => requests.push(request) })
    const log = new DynamoDbCommitLog(options)
    await log.append(newEntry(1, ''))
    const bare = itemBytes(await getItem(options, 1))
    let version = 1
    for (const units of [1, 2, 5, 40]) {
      for (const more of [-8, 8]) {
        await log.append(newEntry(++version, new Uint8Array(units * 1024 - bare + more)))
        expect(requests.at(-1)?.writeUnits).toBe(units + (more > 0 ? 1 : 0))
        expect(writeUnits(requests.at(-1)?.bytesWritten ?? 0)).toBe(requests.at(-1)?.writeUnits)
      }
    }
    // The loser pays for the larger of the two.
    expect((await log.append(newEntry(version))).appended).toBe(false)
    expect(requests.at(-1)).toMatchObject({ outcome: 'condition-failed', writeUnits: 41 })
    await collect(log.readAfter(0))
    expect(requests.at(-1)?.readUnits).toBe(readUnits(requests.at(-1)?.bytesRead ?? 0))
  })

  test('takes a payload up to its limit, which the server takes too', async () => {
    const log = new DynamoDbCommitLog(table().options())
    const full = new Uint8Array(MAX_PAYLOAD_BYTES).map((_, i) => i % 251)
    expect(await log.append(newEntry(1, full))).toEqual({ appended: true })
    expect((await collect(log.readAfter(0)))[0]?.payload).toEqual(full)
    const over = new Uint8Array(MAX_PAYLOAD_BYTES + 1)
    await expect(log.append(newEntry(2, over))).rejects.toThrow(InvalidArgumentError)
  })

  test('11: spills what is longer, with a SpillingCommitLog in front', async () => {
    const store = new MemoryObjectStore()
    const options = table().options()
    const open = () =>
      new SpillingCommitLog(new DynamoDbCommitLog(options), store, options.incarnation, {
        itemLimitBytes: MAX_PAYLOAD_BYTES,
      })
    const log = open()
    const lengths = [MAX_PAYLOAD_BYTES, MAX_PAYLOAD_BYTES + 1, 3_000_000]
    for (const [i, length] of lengths.entries()) {
      await log.append(newEntry(i + 1, new Uint8Array(length).fill(i)))
    }
    const entries = await collect(open().readAfter(0))
    expect(entries.map(({ payload }) => [payload?.length, payload?.at(-1)])).toEqual(
      lengths.map((length, i) => [length, i]),
    )
    const spilled = async () => {
      const keys: string[] = []
      const prefix = spillPrefix(options.incarnation)
      for await (const { key } of store.list({ prefix })) keys.push(key)
      return keys.length
    }
    expect(await spilled()).toBe(2)
    await log.truncate(2)
    expect(await spilled()).toBe(1)
  })

  test('finishes a truncation that was broken off', async () => {
    const options = table().options()
    const log = new DynamoDbCommitLog(options)
    await fill(log, 1, 60)
    const item = await getItem(options, 26)
    await log.truncate(30)
    // One entry of the last window had not been replaced yet.
    await putItem(options, item)
    await new DynamoDbCommitLog(options).truncate(35)
    const kept = (await collect(log.readAfter(0))).filter(({ payload }) => payload !== undefined)
    expect(kept[0]?.version).toBe(36)
  })

  test('42: stops a truncation whose caller gives up, and goes on with it later', async () => {
    const options = table().options()
    const caller = new AbortController()
    const reason = new Error('changed my mind')
    let updates = 0
    const onRequest = ({ kind }: DynamoDbRequest) => {
      if (kind === 'update' && ++updates === 8) caller.abort(reason)
    }
    const log = new DynamoDbCommitLog({ ...options, onRequest })
    await fill(log, 1, 50)
    await expect(log.truncate(40, { signal: caller.signal })).rejects.toBe(reason)
    expect(updates).toBeLessThan(40)
    await log.truncate(40)
    const kept = (await collect(log.readAfter(0))).filter(({ payload }) => payload !== undefined)
    expect(kept.map(({ version }) => version)).toEqual(Array.from({ length: 10 }, (_, i) => i + 41))
  })

  test('10: of a database made again under its name is another log', async () => {
    const old = new DynamoDbCommitLog(table().options())
    const fresh = new DynamoDbCommitLog(table().options())
    await fill(old, 1, 3)
    expect(await collect(fresh.readAfter(0))).toEqual([])
    await fill(old, 4, 4)
    expect(await collect(fresh.readAfter(0))).toEqual([])
  })

  describe('an item', () => {
    test('has all that matters under a checksum, its key too', async () => {
      const options = table().options()
      const other = table().options()
      const log = new DynamoDbCommitLog(options)
      await fill(log, 1, 2)
      const item = await getItem(options, 1)
      const token = item['token']?.S ?? ''
      const damages: Item[] = [
        { payload: { B: flip(item['payload']?.B ?? new Uint8Array(1)) } },
        { payload: { B: new Uint8Array(0) } },
        { payload: { S: 'text' } },
        { payloadCrc: { N: '1' } },
        { timestamp: { N: '1700000000000001' } },
        { timestamp: { N: '-1700000000001000' } },
        { timestamp: { N: '1.5' } },
        { token: { S: token.replace(/.$/, (last) => (last === '0' ? '1' : '0')) } },
        { token: { S: 'none' } },
        { crc: { N: '1' } },
        { crc: { S: '1' } },
        { format: { N: '0' } },
      ]
      for (const damage of damages) {
        await putItem(options, { ...item, ...damage })
        await expect(collect(log.readAfter(0))).rejects.toThrow(CorruptionError)
        await expect(log.append(newEntry(1))).rejects.toThrow(CorruptionError)
      }
      for (const name of ['payload', 'payloadCrc', 'timestamp', 'token', 'crc', 'format']) {
        const { [name]: _, ...rest } = item
        await putItem(options, rest)
        await expect(collect(log.readAfter(0))).rejects.toThrow(CorruptionError)
      }
      // An item of another version, and one of another database.
      const second = await getItem(options, 2)
      await putItem(options, { ...second, version: { N: '1' } })
      await expect(collect(log.readAfter(0))).rejects.toThrow(CorruptionError)
      await putItem(options, item)
      expect(await collect(log.readAfter(0))).toHaveLength(2)
      const id = { S: `log/${other.incarnation}` }
      await putItem(options, { ...item, id })
      await expect(collect(new DynamoDbCommitLog(other).readAfter(0))).rejects.toThrow(
        CorruptionError,
      )
    })

    test('37: of a newer format is refused, and left as it is', async () => {
      const options = table().options()
      const log = new DynamoDbCommitLog(options)
      await fill(log, 1, 3)
      // A later format has a checksum of its own.
      const newer: Item = { ...(await getItem(options, 2)), format: { N: '2' }, crc: { N: '1' } }
      await putItem(options, newer)
      await expect(collect(log.readAfter(0))).rejects.toThrow(FormatVersionError)
      await expect(log.append(newEntry(2))).rejects.toThrow(FormatVersionError)
      await expect(log.truncate(3)).rejects.toThrow(FormatVersionError)
      expect(await getItem(options, 2)).toEqual(newer)
    })

    test('may have more attributes than Firn gives it', async () => {
      const options = table().options()
      const log = new DynamoDbCommitLog(options)
      await fill(log, 1, 1)
      await putItem(options, { ...(await getItem(options, 1)), note: { S: 'mine' } })
      expect(await collect(log.readAfter(0))).toHaveLength(1)
    })

    test('14: that is gone between two others is never the end', async () => {
      const options = table().options()
      const log = new DynamoDbCommitLog(options)
      await fill(log, 1, 9, 300_000)
      await deleteItem(options, 8)
      await expect(collect(log.readAfter(0))).rejects.toThrow(/entry 8 is missing/)
    })
  })

  test('refuses options that make no sense', () => {
    const { incarnation: _, ...options } = table().options()
    expect(() => new DynamoDbCommitLog({ ...options, incarnation: 'birds' })).toThrow(
      InvalidArgumentError,
    )
    for (const inlineLimitBytes of [-1, Number.NaN, MAX_PAYLOAD_BYTES + 1]) {
      const make = () => new DynamoDbCommitLog({ ...table().options(), inlineLimitBytes })
      expect(make).toThrow(InvalidArgumentError)
    }
    const make = () => new DynamoDbCommitLog(table().options({ requestTimeoutMs: 0 }))
    expect(make).toThrow(InvalidArgumentError)
  })
})
