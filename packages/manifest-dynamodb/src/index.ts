export {
  DynamoDbCommitLog,
  type DynamoDbCommitLogOptions,
  MAX_PAYLOAD_BYTES,
} from './dynamodb-commit-log.js'
export { DynamoDbLeases } from './dynamodb-leases.js'
export { DynamoDbError, type DynamoDbErrorOptions, type DynamoDbErrorReason } from './errors.js'
export type { DynamoDbOptions, DynamoDbRequest } from './options.js'
export { type CreateTableOptions, createTable } from './table.js'
