import { DeleteItemCommand, type DynamoDBClient, GetItemCommand } from '@aws-sdk/client-dynamodb'
import type { LogEntry, NewLogEntry } from '@firn/commit-log'
import { systemEnv, ulid } from '@firn/env'
import { afterAll, beforeAll, describe, inject } from 'vitest'
import type { DynamoDbOptions } from '../src/index.js'
import { createTable } from '../src/index.js'
import { createDynamoDbClient } from '../src/node.js'
import type { Service } from './global-setup.js'

/** A table for the tests on a server, with a client. */
export interface TestTable {
  service: Service
  client: DynamoDBClient
  tableName: string
  /** Options for a database that no other test uses. */
  options(changes?: Partial<DynamoDbOptions>): DynamoDbOptions
}

/** Declares a suite for each available server. */
export function describeServices(name: string, tests: (table: () => TestTable) => void): void {
  const services = inject('services')
  describe.skipIf(services.length === 0)(name, () => {
    for (const service of services) {
      describe(service.kind, () => {
        let table: TestTable | undefined
        beforeAll(async () => {
          table = await testTable(service)
        })
        afterAll(() => table?.client.destroy())
        tests(() => table as TestTable)
      })
    }
  })
}

async function testTable(service: Service): Promise<TestTable> {
  const client = clientOf(service)
  const tableName = `firn-${ulid(systemEnv)}`
  await createTable(client, { tableName })
  return {
    service,
    client,
    tableName,
    options: (changes) => ({ client, tableName, incarnation: ulid(systemEnv), ...changes }),
  }
}

/** A client of a server, or of a proxy in front of it. */
export function clientOf(service: Service, endpoint: string = service.endpoint): DynamoDBClient {
  const { region, accessKeyId, secretAccessKey } = service
  return createDynamoDbClient({
    endpoint,
    region,
    credentials: { accessKeyId, secretAccessKey },
  })
}

export async function getItem(
  { client, tableName, incarnation }: DynamoDbOptions,
  version: number,
) {
  const key = { id: { S: `log/${incarnation}` }, version: { N: String(version) } }
  const { Item } = await client.send(
    new GetItemCommand({ TableName: tableName, Key: key, ConsistentRead: true }),
  )
  if (Item === undefined) throw new Error(`there is no item ${version}`)
  return Item
}

export async function deleteItem(
  { client, tableName, incarnation }: DynamoDbOptions,
  version: number,
): Promise<void> {
  const key = { id: { S: `log/${incarnation}` }, version: { N: String(version) } }
  await client.send(new DeleteItemCommand({ TableName: tableName, Key: key }))
}

export function newEntry(
  version: number,
  payload: string | Uint8Array = `${version}`,
): NewLogEntry {
  return {
    version,
    timestamp: 1_700_000_000_000_000 + version * 1000,
    token: ulid(systemEnv),
    payload: typeof payload === 'string' ? new TextEncoder().encode(payload) : payload,
  }
}

export async function collect(entries: AsyncIterable<LogEntry>): Promise<LogEntry[]> {
  const all: LogEntry[] = []
  for await (const entry of entries) all.push(entry)
  return all
}
