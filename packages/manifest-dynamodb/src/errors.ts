import { FirnError, type FirnErrorOptions } from '@firn/env'

/** Reason why a request to DynamoDB failed. */
export type DynamoDbErrorReason =
  /** The table, one of its partitions or the account is over its rate limit. */
  | 'throttled'
  /** No answer came in time. */
  | 'timeout'
  /** DynamoDB could not be reached, or had an internal failure. */
  | 'unavailable'
  /** The answer isn't one of DynamoDB's. */
  | 'bad-reply'
  /** The table doesn't exist. */
  | 'no-table'
  /** The table's key schema isn't the one that Firn needs. */
  | 'schema'
  /** The credentials are missing, wrong or expired. */
  | 'credentials'
  /** The credentials are valid, but don't allow the request. */
  | 'permission'
  /** DynamoDB rejected the request as invalid. */
  | 'refused'

export interface DynamoDbErrorOptions extends FirnErrorOptions {
  reason: DynamoDbErrorReason
}

/**
 * A request to DynamoDB failed, not because of the caller's arguments. `retryable` says whether the
 * call may succeed later, `maybeDone` whether it may have been done nevertheless.
 */
export class DynamoDbError extends FirnError {
  readonly reason: DynamoDbErrorReason
  constructor(message: string, options: DynamoDbErrorOptions) {
    super('FIRN_DYNAMODB', message, { maybeDone: false, ...options })
    this.reason = options.reason
  }
}
