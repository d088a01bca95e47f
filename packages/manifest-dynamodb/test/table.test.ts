import {
  CreateTableCommand,
  type CreateTableCommandInput,
  DescribeTableCommand,
} from '@aws-sdk/client-dynamodb'
import { systemEnv, ulid } from '@firn/env'
import {
  createTable as createLocalTable,
  dynamoDbAnswers,
  LOST_REPLY,
  refused,
} from '@firn/local-services'
import { expect, test } from 'vitest'
import { createTable, DynamoDbCommitLog, DynamoDbLeases } from '../src/index.js'
import { collect, describeServices, newEntry } from './fixtures.js'
import { behindProxy, inTurn, operationOf } from './proxy.js'

const NEEDS =
  /Firn needs id \(string\) as partition key and version \(number\) as sort key.*create-table/

describeServices('a table', (table) => {
  test('is made, billed by request, and may be asked for again', async () => {
    const { client } = table()
    const tableName = `firn-${ulid(systemEnv)}`
    await Promise.all(Array.from({ length: 5 }, () => createTable(client, { tableName })))
    await createTable(client, { tableName })
    const { Table } = await client.send(new DescribeTableCommand({ TableName: tableName }))
    expect(Table?.BillingModeSummary?.BillingMode).toBe('PAY_PER_REQUEST')
    const log = new DynamoDbCommitLog(table().options({ tableName }))
    expect(await log.append(newEntry(1))).toEqual({ appended: true })
  })

  test('is made once, where the answer to making it got lost', async () => {
    const { options } = await behindProxy(table(), inTurn([LOST_REPLY], 'CreateTable'))
    const tableName = `firn-${ulid(systemEnv)}`
    await createTable(options.client, { tableName })
    const log = new DynamoDbCommitLog(table().options({ tableName }))
    expect(await log.append(newEntry(1))).toEqual({ appended: true })
  })

  test('that `npm run services` made is as good', async () => {
    const { client, service } = table()
    const tableName = `firn-${ulid(systemEnv)}`
    await createLocalTable(service, tableName)
    await createTable(client, { tableName })
    const log = new DynamoDbCommitLog(table().options({ tableName }))
    expect(await log.append(newEntry(1))).toEqual({ appended: true })
  })

  test('of another key is refused', async () => {
    const { client } = table()
    const keys: Pick<CreateTableCommandInput, 'AttributeDefinitions' | 'KeySchema'>[] = [
      {
        AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'S' }],
        KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
      },
      {
        AttributeDefinitions: [
          { AttributeName: 'id', AttributeType: 'S' },
          { AttributeName: 'version', AttributeType: 'S' },
        ],
        KeySchema: [
          { AttributeName: 'id', KeyType: 'HASH' },
          { AttributeName: 'version', KeyType: 'RANGE' },
        ],
      },
    ]
    for (const key of keys) {
      const tableName = `firn-${ulid(systemEnv)}`
      const input = { TableName: tableName, BillingMode: 'PAY_PER_REQUEST' as const, ...key }
      await client.send(new CreateTableCommand(input))
      const error: unknown = await createTable(client, { tableName }).catch((error) => error)
      expect(error).toMatchObject({ code: 'FIRN_DYNAMODB', reason: 'schema' })
      expect((error as Error).message).toMatch(NEEDS)
    }
  })

  const OTHER_KEY = {
    AttributeDefinitions: [
      { AttributeName: 'pk', AttributeType: 'S' as const },
      { AttributeName: 'sk', AttributeType: 'S' as const },
    ],
    KeySchema: [
      { AttributeName: 'pk', KeyType: 'HASH' as const },
      { AttributeName: 'sk', KeyType: 'RANGE' as const },
    ],
    BillingMode: 'PAY_PER_REQUEST' as const,
  }

  test('of another key is named with its key, and how to make the right one, by whatever uses it', async () => {
    const { client } = table()
    const TableName = `firn-${ulid(systemEnv)}`
    await client.send(new CreateTableCommand({ TableName, ...OTHER_KEY }))
    const options = table().options({ tableName: TableName })
    const log = new DynamoDbCommitLog(options)
    const uses: Readonly<Record<string, () => Promise<unknown>>> = {
      read: () => collect(log.readAfter(0)),
      append: () => log.append(newEntry(1)),
      truncate: () => log.truncate(1),
      lease: () => new DynamoDbLeases(options).acquire('flush', { durationMs: 1000 }),
    }
    for (const use of Object.values(uses)) {
      const error: unknown = await use().catch((error: unknown) => error)
      const expected = { code: 'FIRN_DYNAMODB', reason: 'schema', maybeDone: false }
      expect(error).toMatchObject({ ...expected, retryable: false })
      const { message, cause } = error as Error
      expect(message).toContain(
        'its key is pk (string) as partition key and sk (string) as sort key',
      )
      expect(message).toMatch(NEEDS)
      expect(cause).toMatchObject({ name: 'ValidationException' })
    }
  })

  test('of another key is named so far as a refusal says, where its description may not be read', async () => {
    const { client } = table()
    const TableName = `firn-${ulid(systemEnv)}`
    await client.send(new CreateTableCommand({ TableName, ...OTHER_KEY }))
    const denied = refused(dynamoDbAnswers.ACCESS_DENIED)
    const { options } = await behindProxy(table(), (request) =>
      operationOf(request) === 'DescribeTable' ? denied : undefined,
    )
    const log = new DynamoDbCommitLog({ ...options, tableName: TableName })
    const error: unknown = await log.append(newEntry(1)).catch((error: unknown) => error)
    expect(error).toMatchObject({ reason: 'schema' })
    expect((error as Error).message).toMatch(NEEDS)
  })
})
