import { type SignedService, signedFetch } from './internal/signed-fetch.js'

/** Creates a bucket on a service that was started here. */
export async function createBucket(s3: SignedService, bucket: string): Promise<void> {
  const request = { service: 's3', method: 'PUT', path: `/${bucket}` } as const
  await expectSuccess(await signedFetch(s3, request), `bucket ${bucket}`)
}

/**
 * Creates a table as `createTable` of @firn/manifest-dynamodb does. That function can't be used
 * here, because its package's tests use this package; they check that it accepts this table.
 */
export async function createTable(dynamoDb: SignedService, tableName: string): Promise<void> {
  const table = {
    TableName: tableName,
    BillingMode: 'PAY_PER_REQUEST',
    AttributeDefinitions: [
      { AttributeName: 'id', AttributeType: 'S' },
      { AttributeName: 'version', AttributeType: 'N' },
    ],
    KeySchema: [
      { AttributeName: 'id', KeyType: 'HASH' },
      { AttributeName: 'version', KeyType: 'RANGE' },
    ],
  }
  const response = await signedFetch(dynamoDb, {
    service: 'dynamodb',
    method: 'POST',
    path: '/',
    headers: {
      'content-type': 'application/x-amz-json-1.0',
      'x-amz-target': 'DynamoDB_20120810.CreateTable',
    },
    body: JSON.stringify(table),
  })
  await expectSuccess(response, `table ${tableName}`)
}

async function expectSuccess(response: Response, what: string): Promise<void> {
  const text = await response.text()
  if (!response.ok) throw new Error(`the ${what} can't be created: ${response.status} ${text}`)
}
