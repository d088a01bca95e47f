import { GetItemCommand, PutItemCommand, QueryCommand } from '@aws-sdk/client-dynamodb'
import { expect, test } from 'vitest'
import { DynamoDbTable } from '../src/dynamodb-table.js'
import { simDynamoDbClient } from '../src/sim-dynamodb-client.js'
import { LiveWorld } from './live-world.js'

const TableName = 'firn'
const ITEMS = 30

test('reads of DynamoDB miss what is new, unless they ask for it', async () => {
  const live = new LiveWorld()
  const client = simDynamoDbClient({ ...live, table: new DynamoDbTable(), pageItems: 1000 })
  let missed = 0
  for (let i = 1; i <= ITEMS; i++) {
    const Key = { id: { S: 'log' }, version: { N: String(i) } }
    await client.send(new PutItemCommand({ TableName, Item: Key }))
    const read = async (ConsistentRead: boolean): Promise<number> => {
      const { Item } = await client.send(new GetItemCommand({ TableName, Key, ConsistentRead }))
      const { Items = [] } = await client.send(
        new QueryCommand({
          TableName,
          KeyConditionExpression: 'id = :id AND version > :after',
          ExpressionAttributeValues: { ':id': { S: 'log' }, ':after': { N: '0' } },
          ConsistentRead,
        }),
      )
      return Items.length + (Item === undefined ? 0 : 1)
    }
    expect(await read(true)).toBe(i + 1)
    missed += i + 1 - (await read(false))
  }
  live.end()
  expect(missed).toBeGreaterThan(0)
})
