import type { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import type { Env } from '@firn/env'

/** Kind, outcome and cost of one HTTP request to DynamoDB. */
export interface DynamoDbRequest {
  kind: 'put' | 'get' | 'query' | 'update' | 'create-table' | 'describe-table'
  outcome: 'done' | 'condition-failed' | 'failed'
  /**
   * Units that DynamoDB reported or, if it didn't, that the sizes of the items give. In the latter
   * case a request whose answer got lost counts as done.
   */
  writeUnits: number
  readUnits: number
  /** Bytes of the items that were sent and received, as DynamoDB counts them. */
  bytesWritten: number
  bytesRead: number
}

/** Options of the log and the leases. */
export interface DynamoDbOptions {
  /**
   * A client with `maxAttempts: 1`, such as one of `createDynamoDbClient`. A client with retries of
   * its own is refused, because it hides outcomes that this package must know. The caller destroys
   * the client.
   */
  client: DynamoDBClient
  tableName: string
  /** Incarnation of the database, from its root. */
  incarnation: string
  env?: Env
  /** Called once for every HTTP request that was sent. */
  onRequest?: ((request: DynamoDbRequest) => void) | undefined
  /** How long to wait for an answer after a request is sent, in milliseconds. Default 5,000. */
  requestTimeoutMs?: number
  /**
   * Most requests under way at once, for all that share the client; at most the number of sockets
   * of its HTTP handler. Further requests wait in the order of the calls, commits and leases first;
   * only their signal limits the wait. The first user of a client sets its limit. Default 50, like
   * that of the SDK and of `createDynamoDbClient`.
   */
  connections?: number
}
