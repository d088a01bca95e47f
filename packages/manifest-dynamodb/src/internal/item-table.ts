import {
  type AttributeValue,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  UpdateItemCommand,
  type UpdateItemCommandOutput,
} from '@aws-sdk/client-dynamodb'
import type { DynamoDbOptions } from '../options.js'
import { failureOf } from './failure.js'
import { type Item, itemBytes } from './item-size.js'
import { type Call, Requester, type WriteOutcome } from './requester.js'

export interface ItemKey {
  id: AttributeValue
  version: AttributeValue
}

export interface CallOptions {
  signal: AbortSignal | undefined
  /** Go ahead of other requests that wait. Conditional puts always do, as they commit something. */
  urgent?: boolean | undefined
}

/** Condition that an item must meet. */
export interface Condition {
  expression: string
  names?: Record<string, string>
  values?: Item
}

/** Reads and writes items. Every read is strongly consistent, every write conditional. */
export class ItemTable {
  readonly #requester: Requester
  /** Parameters of every request. */
  readonly #common: { TableName: string; ReturnConsumedCapacity: 'TOTAL' }

  constructor(options: DynamoDbOptions) {
    this.#requester = new Requester(options)
    this.#common = { TableName: options.tableName, ReturnConsumedCapacity: 'TOTAL' }
  }

  async get(key: ItemKey, { signal, urgent }: CallOptions): Promise<Item | undefined> {
    const command = new GetItemCommand({ ...this.#common, Key: { ...key }, ConsistentRead: true })
    const { Item } = await this.#read({
      kind: 'get',
      signal,
      urgent,
      send: (client, call) => client.send(command, call),
    })
    return Item
  }

  /** Reads a page of the items after `key` in its partition. */
  async query(
    key: ItemKey,
    limit: number,
    { signal, urgent }: CallOptions,
  ): Promise<{ items: Item[]; atEnd: boolean }> {
    const command = new QueryCommand({
      ...this.#common,
      KeyConditionExpression: 'id = :id AND version > :after',
      ExpressionAttributeValues: { ':id': key.id, ':after': key.version },
      ConsistentRead: true,
      ...(Number.isFinite(limit) ? { Limit: Math.ceil(limit) } : {}),
    })
    const { Items = [], LastEvaluatedKey } = await this.#read({
      kind: 'query',
      signal,
      urgent,
      send: async (client, call) => {
        const page = await client.send(command, call)
        // An answer without items would look like the log's end.
        const isPage = page.Items !== undefined && (page.Items.length > 0 || isLast(page))
        if (isPage) return page
        throw failureOf(this.#common.TableName, 'bad-reply')
      },
    })
    return { items: Items, atEnd: isLast({ LastEvaluatedKey }) }
  }

  /** Writes an item if a condition holds. Throws if it certainly wasn't and won't be written. */
  putIf(condition: Condition, item: Item, signal: AbortSignal | undefined): Promise<WriteOutcome> {
    const command = new PutItemCommand({ ...this.#common, ...inputOf(condition), Item: item })
    return this.#requester.conditional({
      kind: 'put',
      bytes: itemBytes(item),
      signal,
      urgent: true,
      send: async (client, call) => {
        const answer = await client.send(command, call)
        // The SDK takes an empty answer for success. The capacity proves that DynamoDB wrote it.
        if (answer.ConsumedCapacity !== undefined) return answer
        throw failureOf(this.#common.TableName, 'bad-reply', { maybeDone: true })
      },
    })
  }

  /** Changes an item if a condition holds. The change must be safe to make twice. */
  updateIf(
    condition: Condition,
    key: ItemKey,
    change: string,
    signal: AbortSignal | undefined,
  ): Promise<{ done: UpdateItemCommandOutput } | { refused: Item | undefined }> {
    const command = new UpdateItemCommand({
      ...this.#common,
      ...inputOf(condition),
      Key: { ...key },
      UpdateExpression: change,
    })
    return this.#requester.repeatable({
      kind: 'update',
      signal,
      send: (client, call) => client.send(command, call),
    })
  }

  async #read<O>(call: Call<O>): Promise<O> {
    const result = await this.#requester.repeatable(call)
    if ('done' in result) return result.done
    // Only a condition can fail, and a read has none.
    throw failureOf(this.#common.TableName, 'bad-reply')
  }
}

function inputOf({ expression, names, values }: Condition) {
  return {
    ConditionExpression: expression,
    ...(names === undefined ? {} : { ExpressionAttributeNames: names }),
    ...(values === undefined ? {} : { ExpressionAttributeValues: values }),
    ReturnValuesOnConditionCheckFailure: 'ALL_OLD' as const,
  }
}

function isLast({ LastEvaluatedKey }: { LastEvaluatedKey?: Item | undefined }): boolean {
  return LastEvaluatedKey === undefined
}
