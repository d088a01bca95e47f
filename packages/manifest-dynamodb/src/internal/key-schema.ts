import {
  type CreateTableCommandInput,
  DescribeTableCommand,
  type TableDescription,
} from '@aws-sdk/client-dynamodb'
import { DynamoDbError } from '../errors.js'

/** The key of every table of Firn. FORMAT.md, "Table". */
export const KEY: Required<Pick<CreateTableCommandInput, 'AttributeDefinitions' | 'KeySchema'>> = {
  AttributeDefinitions: [
    { AttributeName: 'id', AttributeType: 'S' },
    { AttributeName: 'version', AttributeType: 'N' },
  ],
  KeySchema: [
    { AttributeName: 'id', KeyType: 'HASH' },
    { AttributeName: 'version', KeyType: 'RANGE' },
  ],
}

const TYPES: Readonly<Record<string, string>> = { S: 'string', N: 'number', B: 'binary' }

const EXPECTED: string = keyOf(KEY)

/** Whether a table has the key that Firn needs. */
export function hasKey(table: TableDescription): boolean {
  return keyOf(table) === EXPECTED
}

/** Returns an error that names the key that was found, and tells how to get the right one. */
export function schemaFailure(
  tableName: string,
  found: TableDescription | string,
  cause?: unknown,
): DynamoDbError {
  const is = typeof found === 'string' ? found : `its key is ${keyOf(found)}`
  const create =
    'aws dynamodb create-table --table-name NAME --billing-mode PAY_PER_REQUEST' +
    ' --attribute-definitions AttributeName=id,AttributeType=S AttributeName=version,AttributeType=N' +
    ' --key-schema AttributeName=id,KeyType=HASH AttributeName=version,KeyType=RANGE'
  return new DynamoDbError(
    `DynamoDB table '${tableName}': ${is}, but Firn needs ${EXPECTED}. A table's key can't be changed: use another table, made with createTable of @firn/manifest-dynamodb, or with: ${create}`,
    { reason: 'schema', cause },
  )
}

/**
 * Explains a rejected request for an item: the table may have another key, and only its description
 * says so for certain. Returns `undefined` if the key is right, or if nothing can be found out.
 */
export async function schemaFailureOf(
  tableName: string,
  refusal: DynamoDbError,
  describe: (command: DescribeTableCommand) => Promise<TableDescription | undefined>,
): Promise<DynamoDbError | undefined> {
  const table = await describe(new DescribeTableCommand({ TableName: tableName })).catch(() => {})
  if (table?.KeySchema !== undefined) {
    return hasKey(table) ? undefined : schemaFailure(tableName, table, refusal.cause)
  }
  // Describing isn't allowed. DynamoDB's refusal says it is about the key, and at best names an
  // attribute of it.
  const { message = '' } = (refusal.cause ?? {}) as { message?: string }
  if (!/\bkey\b/i.test(message)) return undefined
  const named = /(?:missing the key|missed key schema element:?)\s+([A-Za-z0-9_.-]{1,255})/i.exec(
    message,
  )
  const found = named === null ? 'its key is another one' : `its key has ${named[1]} in it`
  return schemaFailure(tableName, found, refusal.cause)
}

/** Describes a key, such as "id (string) as partition key and version (number) as sort key". */
function keyOf({
  AttributeDefinitions,
  KeySchema = [],
}: Pick<TableDescription, 'AttributeDefinitions' | 'KeySchema'>): string {
  const types = new Map(AttributeDefinitions?.map((a) => [a.AttributeName, a.AttributeType]))
  const parts = KeySchema.map(({ AttributeName, KeyType }) => {
    const type = types.get(AttributeName) ?? ''
    const role = KeyType === 'HASH' ? 'partition key' : 'sort key'
    return `${AttributeName} (${TYPES[type] ?? type}) as ${role}`
  })
  return parts.length === 1 ? `${parts[0]} alone` : parts.join(' and ')
}
