import {
  CreateTableCommand,
  type CreateTableCommandInput,
  DescribeTableCommand,
} from '@aws-sdk/client-dynamodb'
import { systemEnv, ulid } from '@firn/env'
import { createTable as createLocalTable, LOST_REPLY } from '@firn/local-services'
import { expect, it } from 'vitest'
import { createTable, DynamoDbCommitLog } from '../src/index.js'
import { describeServices, newEntry } from './fixtures.js'
import { behindProxy, inTurn } from './proxy.js'

describeServices('a table', (table) => {
  it('is made, billed by request, and may be asked for again', async () => {
    const { client } = table()
    const tableName = `firn-${ulid(systemEnv)}`
    await Promise.all(Array.from({ length: 5 }, () => createTable(client, { tableName })))
    await createTable(client, { tableName })
    const { Table } = await client.send(new DescribeTableCommand({ TableName: tableName }))
    expect(Table?.BillingModeSummary?.BillingMode).toBe('PAY_PER_REQUEST')
    const log = new DynamoDbCommitLog(table().options({ tableName }))
    expect(await log.append(newEntry(1))).toEqual({ appended: true })
  })

  it('is made once, where the answer to making it got lost', async () => {
    const { options } = await behindProxy(table(), inTurn([LOST_REPLY], 'CreateTable'))
    const tableName = `firn-${ulid(systemEnv)}`
    await createTable(options.client, { tableName })
    const log = new DynamoDbCommitLog(table().options({ tableName }))
    expect(await log.append(newEntry(1))).toEqual({ appended: true })
  })

  it('that `npm run services` made is as good', async () => {
    const { client, service } = table()
    const tableName = `firn-${ulid(systemEnv)}`
    await createLocalTable(service, tableName)
    await createTable(client, { tableName })
    const log = new DynamoDbCommitLog(table().options({ tableName }))
    expect(await log.append(newEntry(1))).toEqual({ appended: true })
  })

  it('of another key is refused', async () => {
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
    }
  })
})
