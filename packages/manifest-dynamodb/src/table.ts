import {
  CreateTableCommand,
  DescribeTableCommand,
  type DynamoDBClient,
  type TableDescription,
} from '@aws-sdk/client-dynamodb'
import { type Env, isFirnError, systemEnv } from '@firn/env'
import type { DynamoDbError } from './errors.js'
import { failureOf } from './internal/failure.js'
import { hasKey, KEY, schemaFailure } from './internal/key-schema.js'
import { Requester } from './internal/requester.js'

export interface CreateTableOptions {
  tableName: string
  env?: Env
  signal?: AbortSignal | undefined
}

const POLL_MS = 250
const PATIENCE_MS = 120_000

/**
 * Creates a table for the commit logs and leases of any number of databases, and waits until it can
 * be used. It is billed by request: an unused table costs only its storage. An existing table of
 * this name with the right key is used as it is, however it was created and is billed. If its key
 * is another one, throws a `DynamoDbError` of reason `schema`.
 */
export async function createTable(
  client: DynamoDBClient,
  options: CreateTableOptions,
): Promise<void> {
  const { tableName, env = systemEnv, signal } = options
  const requester = new Requester({ client, tableName, env })
  const startedAt = env.monotonic()
  for (;;) {
    const table = (await describe(requester, signal)) ?? (await create(requester, signal))
    if (table?.TableStatus === 'ACTIVE' || table?.TableStatus === 'UPDATING') {
      if (!hasKey(table)) throw schemaFailure(tableName, table)
      return
    }
    if (env.monotonic() - startedAt > PATIENCE_MS) throw failureOf(tableName, 'timeout')
    await env.sleep(POLL_MS, signal)
  }
}

/** Describes the table; `undefined` if it doesn't exist. */
async function describe(
  requester: Requester,
  signal: AbortSignal | undefined,
): Promise<TableDescription | undefined> {
  const { tableName: TableName } = requester
  try {
    const answer = await requester.repeatable({
      kind: 'describe-table',
      signal,
      send: (client, call) => client.send(new DescribeTableCommand({ TableName }), call),
    })
    return 'done' in answer ? answer.done.Table : undefined
  } catch (error) {
    if (isFirnError(error) && (error as DynamoDbError).reason === 'no-table') return undefined
    throw error
  }
}

/** Starts to create the table; `undefined` if it is already being created. */
async function create(
  requester: Requester,
  signal: AbortSignal | undefined,
): Promise<TableDescription | undefined> {
  const { tableName: TableName } = requester
  const answer = await requester.repeatable({
    kind: 'create-table',
    signal,
    send: async (client, call) => {
      const command = new CreateTableCommand({
        TableName,
        ...KEY,
        BillingMode: 'PAY_PER_REQUEST',
      })
      try {
        return await client.send(command, call)
      } catch (error) {
        // Another process was first, or an earlier attempt succeeded.
        if ((error as Error).name === 'ResourceInUseException') return undefined
        throw error
      }
    },
  })
  return 'done' in answer ? answer.done?.TableDescription : undefined
}
