import { FirnError, type FirnErrorOptions } from '@firn/env'

/** What kept DynamoDB from doing what it was asked. */
export type DynamoDbErrorReason =
  /** The table, a partition of it or the account asks for fewer requests. */
  | 'throttled'
  /** No answer came in time. */
  | 'timeout'
  /** DynamoDB could not be reached, or failed in itself. */
  | 'unavailable'
  /** An answer came that is none. */
  | 'bad-reply'
  /** There is no such table. */
  | 'no-table'
  /** The table's key schema isn't that of Firn. */
  | 'schema'
  /** There are no credentials, or they are wrong or expired. */
  | 'credentials'
  /** The credentials are good, and don't allow this. */
  | 'permission'
  /** DynamoDB calls the request wrong. */
  | 'refused'

export interface DynamoDbErrorOptions extends FirnErrorOptions {
  reason: DynamoDbErrorReason
}

/**
 * A request to DynamoDB failed for a reason that is not the caller's. `retryable` says whether the
 * same call may succeed later, `maybeDone` whether it may have been done all the same.
 */
export class DynamoDbError extends FirnError {
  readonly reason: DynamoDbErrorReason
  constructor(message: string, options: DynamoDbErrorOptions) {
    super('FIRN_DYNAMODB', message, { maybeDone: false, ...options })
    this.reason = options.reason
  }
}
