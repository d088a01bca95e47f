import type { AttributeValue, DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { crc32, fromBase64, toBase64 } from '@firn/bytes'
import { type LeaseRecord, leaseKey, logPrefix } from '@firn/commit-log'
import { TestEnv } from '@firn/env/testing'
import { DynamoDbCommitLog, DynamoDbLeases, type DynamoDbOptions } from '@firn/manifest-dynamodb'
import type { Random } from '../../random.js'
import { assertSound, type FuzzTarget } from '../fuzz-target.js'
import { someBytes, someNumber, someUlid } from '../values.js'
import { membersOf } from './json-members.js'
import { assertLease, readLog, someLease } from './logs.js'

const INCARNATION = '01JD3ZJ8GQW0000000000000FN'
const NAME = 'maintenance'
const WORDS = [
  '"N":"',
  '"S":"',
  '"B":"',
  '"0"',
  '"01"',
  '"1e3"',
  '"-1"',
  '"9007199254740993"',
  '{}',
]

type Item = Record<string, AttributeValue>

/** A client that always answers with this item. */
function answering(item: Item): DynamoDbOptions {
  const client = {
    config: { maxAttempts: async () => 1 },
    send: async () => ({ $metadata: { httpStatusCode: 200 }, Item: item, Items: [item] }),
  }
  return {
    client: client as unknown as DynamoDBClient,
    tableName: 'firn',
    incarnation: INCARNATION,
    // Nothing waits, so that no time passes.
    env: new TestEnv(),
  }
}

/** Reads an item from DynamoDB's JSON, as in an answer: binary values are Base64. */
function itemOf(bytes: Uint8Array): Item {
  const item: Item = {}
  for (const [name, value] of Object.entries(membersOf(bytes))) {
    const { S, N, B, BOOL } = (value ?? {}) as Record<string, unknown>
    // The SDK turns an answer into these types, or throws.
    if (typeof S === 'string') item[name] = { S }
    else if (typeof N === 'string') item[name] = { N }
    else if (typeof BOOL === 'boolean') item[name] = { BOOL }
    else if (typeof B === 'string') {
      try {
        item[name] = { B: fromBase64(B) }
      } catch {}
    }
  }
  return item
}

function inputOf(item: Item): Uint8Array {
  const plain = Object.entries(item).map(([name, value]) => [
    name,
    value.B === undefined ? value : { B: toBase64(value.B) },
  ])
  return new TextEncoder().encode(JSON.stringify(Object.fromEntries(plain)))
}

/** Puts correct checksums into an item, and pads it with spaces to its former length. */
function sealWith(seal: (item: Item) => Item): (bytes: Uint8Array) => void {
  return (bytes) => {
    const sealed = inputOf(seal(itemOf(bytes)))
    if (sealed.length > bytes.length) return
    bytes.fill(0x20)
    bytes.set(sealed)
  }
}

const crcOf = (text: string): number => crc32(new TextEncoder().encode(text))

function sealedEntry(item: Item): Item {
  const { id, version, format, timestamp, token, payload } = item
  const header = [id?.S, version?.N, format?.N, timestamp?.N, token?.S]
  const crc = crcOf(header.join('/'))
  return {
    ...item,
    crc: { N: String(crc) },
    ...(payload?.B === undefined ? {} : { payloadCrc: { N: String(crc32(payload.B, crc)) } }),
  }
}

function someEntry(random: Random): Item {
  return sealedEntry({
    id: { S: logPrefix(INCARNATION).slice(0, -1) },
    version: { N: '1' },
    format: { N: '1' },
    timestamp: { N: String(1 + someNumber(random)) },
    token: { S: someUlid(random) },
    ...(random.below(4) === 0 ? {} : { payload: { B: someBytes(random) } }),
  })
}

const entry: FuzzTarget = {
  name: 'dynamodb-entry',
  corpus: (random) => Array.from({ length: 20 }, () => inputOf(someEntry(random))),
  words: WORDS,
  seal: sealWith(sealedEntry),
  async decode(bytes) {
    const log = new DynamoDbCommitLog(answering(itemOf(bytes)))
    const entries = await readLog(log)
    assertSound(entries.length === 1, `${entries.length} entries`)
  },
}

function sealedLease(item: Item): Item {
  const { id, format, epoch, holder, renewals, durationMs } = item
  const fields = [id?.S, '0', format?.N, epoch?.N, holder?.S ?? '', renewals?.N, durationMs?.N]
  return { ...item, crc: { N: String(crcOf(fields.join('/'))) } }
}

class OpenDynamoDbLeases extends DynamoDbLeases {
  read(name: string): Promise<LeaseRecord | undefined> {
    return this._read(name, {})
  }
}

const lease: FuzzTarget = {
  name: 'dynamodb-lease',
  corpus: (random) =>
    Array.from({ length: 20 }, () => {
      const { epoch, holder, renewals, durationMs } = someLease(random)
      return inputOf(
        sealedLease({
          id: { S: leaseKey(INCARNATION, NAME) },
          version: { N: '0' },
          format: { N: '1' },
          epoch: { N: String(epoch) },
          ...(holder === undefined ? {} : { holder: { S: holder } }),
          renewals: { N: String(renewals) },
          durationMs: { N: String(durationMs) },
        }),
      )
    }),
  words: WORDS,
  seal: sealWith(sealedLease),
  async decode(bytes) {
    const leases = new OpenDynamoDbLeases(answering(itemOf(bytes)))
    assertLease(await leases.read(NAME))
  },
}

export const dynamoDbTargets: readonly FuzzTarget[] = [entry, lease]
