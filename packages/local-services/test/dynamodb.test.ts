import { describe, expect, test } from 'vitest'
import { createTable } from '../src/create.js'
import { findDynamoDb, HOW_TO_GET_DYNAMODB, startDynamoDb } from '../src/index.js'
import { signedFetch } from '../src/internal/signed-fetch.js'

const found = await findDynamoDb()
if (found === undefined && process.env['FIRN_TEST_SERVICES'] === 'required') {
  throw new Error(`no DynamoDB to test with: ${HOW_TO_GET_DYNAMODB}`)
}

async function tables(service: Parameters<typeof signedFetch>[0]): Promise<string[]> {
  const response = await signedFetch(service, {
    service: 'dynamodb',
    method: 'POST',
    path: '/',
    headers: {
      'content-type': 'application/x-amz-json-1.0',
      'x-amz-target': 'DynamoDB_20120810.ListTables',
    },
    body: '{}',
  })
  return ((await response.json()) as { TableNames: string[] }).TableNames
}

describe.skipIf(found === undefined)(
  `DynamoDB (where it is skipped: ${HOW_TO_GET_DYNAMODB})`,
  () => {
    test('is started as often as it is asked for, each with its own data, and stopped', async () => {
      const [first, second] = await Promise.all([startDynamoDb(), startDynamoDb()])
      try {
        expect(first.kind).toBe(found)
        expect(new URL(first.endpoint).hostname).toBe('127.0.0.1')
        await createTable(first, 'birds')
        expect(await tables(first)).toEqual(['birds'])
        expect(await tables(second)).toEqual([])
        await expect(createTable(first, 'birds')).rejects.toThrow(/ResourceInUse/)
        await first.stop()
        await expect(tables(first)).rejects.toThrow()
        expect(await tables(second)).toEqual([])
      } finally {
        await Promise.all([first.stop(), second.stop()])
      }
    })
  },
)
