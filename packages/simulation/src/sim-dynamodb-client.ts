import {
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb'
import { truncated, withFlippedBit } from './damage.js'
import type { Decisions } from './decisions.js'
import {
  conditionHolds,
  type DynamoDbTable,
  type Item,
  type ItemCondition,
} from './dynamodb-table.js'
import { type FaultKind, isDamage } from './faults.js'
import type { Network } from './network.js'
import type { Life } from './sim-process.js'
import { Violation } from './violation.js'

const ANY: readonly FaultKind[] = ['fail-before', 'lost-reply', 'throttled', 'slow', 'empty-reply']
/** Damage to items. A refusal has one, too: the item that was in the way. */
const DAMAGE: readonly FaultKind[] = ['truncated', 'flipped', 'missing-field']
const READ: readonly FaultKind[] = [...ANY, ...DAMAGE]
const WRITE: readonly FaultKind[] = [
  ...READ,
  'late-apply',
  'applied-twice',
  'own-refusal',
  'conflict',
]

/** How old, at most, an answer to a read may be that isn't consistent. */
const STALEST_MS = 5000
/** The prefix in the names of items that are leases. */
const LEASES = 'leases/'

export interface SimDynamoDbOptions {
  life: Life
  table: DynamoDbTable
  network: Network
  /** Items in one reply to a query. */
  pageItems: number
  /**
   * How much longer, at most, each way of a request for a lease takes, in milliseconds. Default 0.
   */
  leaseMs?: number
}

/** Throttling by the table's limits, by the account's, and by the control plane. */
const THROTTLES = [
  'ProvisionedThroughputExceededException',
  'RequestLimitExceeded',
  'ThrottlingException',
] as const

type Reply = Record<string, unknown>

/**
 * Makes a DynamoDB client like the AWS SDK's, for a simulated table: commands in, answers and
 * exceptions out.
 */
export function simDynamoDbClient(options: SimDynamoDbOptions): DynamoDBClient {
  const { life, network, leaseMs = 0 } = options
  const client = {
    config: { maxAttempts: async () => 1 },
    send: (command: object, { abortSignal }: { abortSignal?: AbortSignal } = {}) => {
      const { what, writes, apply } = requestOf(command, options)
      const slowness = what.includes(LEASES) ? { thereMs: leaseMs, backMs: leaseMs } : undefined
      return network.send<Reply>(life, {
        what,
        faults: writes ? WRITE : READ,
        signal: abortSignal,
        slowness,
        apply: () => ({ $metadata: { httpStatusCode: 200 }, ...apply() }),
        failure: (kind) => failureOf(kind, life.decisions),
        garble: (reply, kind) => garbledReply(reply, kind, life.decisions),
        garbleRefusal: (error, kind) => garbledRefusal(error, kind, life.decisions),
      })
    },
    destroy: () => {},
  }
  return client as unknown as DynamoDBClient
}

interface Request {
  what: string
  writes: boolean
  apply: () => Reply
}

function requestOf(command: object, options: SimDynamoDbOptions): Request {
  const { table, pageItems, network } = options
  const now = (): number => network.world.nowMs
  if (command instanceof PutItemCommand) {
    const item = copyOf(command.input.Item ?? {})
    const apply = (): Reply => {
      assertCondition(table.find(item), command.input)
      table.put(item, now())
      return { ConsumedCapacity: { CapacityUnits: 1 } }
    }
    return { what: `PutItem ${nameOf(item)}`, writes: true, apply }
  }
  if (command instanceof UpdateItemCommand) {
    const key = command.input.Key ?? {}
    const removed = /^REMOVE (.+)$/.exec(command.input.UpdateExpression ?? '')?.[1]?.split(', ')
    if (removed === undefined) throw new Violation('an update nobody expected')
    const apply = (): Reply => {
      const item = table.find(key)
      assertCondition(item, command.input)
      const kept = Object.entries(item ?? key).filter(([name]) => !removed.includes(name))
      table.put(Object.fromEntries(kept), now())
      return { ConsumedCapacity: { CapacityUnits: 1 } }
    }
    return { what: `UpdateItem ${nameOf(key)}`, writes: true, apply }
  }
  if (command instanceof GetItemCommand) {
    const key = command.input.Key ?? {}
    const apply = (): Reply => {
      const item = table.find(key, readTime(command, options))
      return item === undefined ? {} : { Item: copyOf(item) }
    }
    return { what: `GetItem ${nameOf(key)}`, writes: false, apply }
  }
  if (command instanceof QueryCommand) {
    const values = command.input.ExpressionAttributeValues ?? {}
    const key = { id: values[':id'] ?? { S: '' }, version: values[':after'] ?? { N: '0' } }
    const limit = Math.min(pageItems, command.input.Limit ?? pageItems)
    const apply = (): Reply => {
      const { items, atEnd } = table.after(key, limit, readTime(command, options))
      return { Items: items.map(copyOf), ...(atEnd ? {} : { LastEvaluatedKey: items.at(-1) }) }
    }
    return { what: `Query ${nameOf(key)}`, writes: false, apply }
  }
  throw new Violation(`a command nobody expected: ${command.constructor.name}`)
}

/** The time as of which a read is answered: a while ago, unless the read is consistent. */
function readTime(
  { input }: { input: { ConsistentRead?: boolean | undefined } },
  { life, network }: SimDynamoDbOptions,
): number | undefined {
  if (input.ConsistentRead === true) return undefined
  return network.world.nowMs - life.decisions.choose('stale ms', STALEST_MS)
}

function assertCondition(found: Item | undefined, condition: ItemCondition): void {
  if (conditionHolds(found, condition)) return
  throw sdkError('ConditionalCheckFailedException', 400, {
    ...(found === undefined ? {} : { Item: copyOf(found) }),
  })
}

/** Copies an item, so that requests and answers share no arrays. */
function copyOf(item: Item): Item {
  return Object.fromEntries(
    Object.entries(item).map(([name, value]) => [
      name,
      value.B === undefined ? value : { B: value.B.slice() },
    ]),
  )
}

function nameOf(item: Item): string {
  return `${item['id']?.S} ${item['version']?.N}`
}

function garbledReply(reply: Reply, kind: FaultKind, decisions: Decisions): Reply {
  if (kind === 'empty-reply') return { $metadata: {} }
  if (!isDamage(kind)) return reply
  const { Item: item, Items: items } = reply as { Item?: Item; Items?: Item[] }
  if (item !== undefined) return { ...reply, Item: garbled(item, kind, decisions) }
  if (items === undefined || items.length === 0) return reply
  const at = decisions.choose('garbled item', items.length)
  return {
    ...reply,
    Items: items.map((each, i) => (i === at ? garbled(each, kind, decisions) : each)),
  }
}

function garbledRefusal(error: unknown, kind: FaultKind, decisions: Decisions): unknown {
  const { Item: item } = error as { Item?: Item }
  if (item === undefined || !isDamage(kind)) return error
  return sdkError('ConditionalCheckFailedException', 400, {
    Item: garbled(item, kind, decisions),
  })
}

/** Returns an item with an attribute missing, replaced or shortened. */
function garbled(item: Item, kind: FaultKind, decisions: Decisions): Item {
  const names = Object.keys(item)
  const name = names[decisions.choose('garbled attribute', names.length)] ?? ''
  const { [name]: value, ...others } = item
  if (value === undefined) return item
  if (kind === 'missing-field') return others
  const bytes = value.B ?? new TextEncoder().encode(value.N ?? value.S ?? '')
  const damaged =
    kind === 'truncated' ? truncated(bytes, decisions) : withFlippedBit(bytes, decisions)
  if (value.B !== undefined) return { ...item, [name]: { B: damaged } }
  const text = new TextDecoder().decode(damaged)
  return { ...item, [name]: value.N === undefined ? { S: text } : { N: text } }
}

/**
 * Makes an error like the SDK's: exceptions of the service by name and status, errors of the socket
 * by code.
 */
function failureOf(kind: FaultKind, decisions: Decisions): Error {
  switch (kind) {
    case 'fail-before':
      return Object.assign(new Error('connect ECONNREFUSED'), {
        code: 'ECONNREFUSED',
        syscall: 'connect',
      })
    case 'throttled':
      return sdkError(decisions.pick('throttled by', THROTTLES), 400)
    case 'conflict':
      return sdkError('TransactionConflictException', 400)
    case 'late-apply':
      return sdkError('InternalServerError', 500)
    default:
      return Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' })
  }
}

function sdkError(name: string, httpStatusCode: number, more: object = {}): Error {
  const $fault = httpStatusCode < 500 ? 'client' : 'server'
  return Object.assign(new Error(name), { name, $fault, $metadata: { httpStatusCode }, ...more })
}
