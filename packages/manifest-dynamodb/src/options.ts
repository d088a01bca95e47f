import type { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import type { Env } from '@firn/env'

/** What one HTTP request to DynamoDB was and cost, whatever came of it. */
export interface DynamoDbRequest {
  kind: 'put' | 'get' | 'query' | 'update' | 'create-table' | 'describe-table'
  outcome: 'done' | 'condition-failed' | 'failed'
  /**
   * As DynamoDB said, or by the sizes of the items where it didn't: then a request whose answer got
   * lost counts as done.
   */
  writeUnits: number
  readUnits: number
  /** Bytes of items as DynamoDB counts them, that were sent, and that came back. */
  bytesWritten: number
  bytesRead: number
}

/** What every part of this package needs to talk to a table. */
export interface DynamoDbOptions {
  /**
   * With `maxAttempts: 1`, as `createDynamoDbClient` makes it: a client that repeats requests by
   * itself hides what this package has to know, and is refused. It stays the caller's to destroy.
   */
  client: DynamoDBClient
  tableName: string
  /** The database's, from its root. */
  incarnation: string
  env?: Env
  /** Called once for every HTTP request that was sent. */
  onRequest?: ((request: DynamoDbRequest) => void) | undefined
  /** How long to wait for an answer once a request was sent, in milliseconds. Default 5,000. */
  requestTimeoutMs?: number
  /**
   * Most requests under way at once, of all that share the client: no more than its HTTP handler
   * has sockets. Further requests wait in the order of the calls, commits and leases first, without
   * a bound of time but their signal's. Whoever uses a client first decides. Default 50, as the
   * SDK's and `createDynamoDbClient`'s.
   */
  connections?: number
}
