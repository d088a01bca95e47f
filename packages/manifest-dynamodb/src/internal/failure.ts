import { DynamoDbError, type DynamoDbErrorReason } from '../errors.js'

/** Shape of the SDK's errors, as they come from the wire or the socket. */
interface SdkError {
  name?: unknown
  message?: unknown
  code?: unknown
  syscall?: unknown
  errors?: unknown
  $metadata?: { httpStatusCode?: number; clockSkewCorrected?: boolean }
}

/** Reasons for DynamoDB's exceptions. Retrying doesn't help with any other exception. */
const REASONS: Readonly<Record<string, DynamoDbErrorReason>> = {
  ProvisionedThroughputExceededException: 'throttled',
  ThrottlingException: 'throttled',
  RequestLimitExceeded: 'throttled',
  LimitExceededException: 'throttled',
  // Another writer is changing the item at this moment, in a transaction or in another region.
  TransactionConflictException: 'throttled',
  ReplicatedWriteConflictException: 'throttled',
  ResourceNotFoundException: 'no-table',
  AccessDeniedException: 'permission',
  OptInRequired: 'permission',
  UnrecognizedClientException: 'credentials',
  InvalidClientTokenId: 'credentials',
  ExpiredTokenException: 'credentials',
  ExpiredToken: 'credentials',
  InvalidSignatureException: 'credentials',
  SignatureDoesNotMatch: 'credentials',
  IncompleteSignatureException: 'credentials',
  MissingAuthenticationTokenException: 'credentials',
  MissingAuthenticationToken: 'credentials',
  RequestExpired: 'credentials',
  // Thrown by the SDK before it sends anything.
  CredentialsProviderError: 'credentials',
}

const ADVICE: Readonly<Record<DynamoDbErrorReason, string>> = {
  throttled:
    "DynamoDB throttled every attempt; try again later. A database's log is one partition, which takes 1,000 write units a second",
  timeout: "DynamoDB didn't answer in time; try again",
  unavailable: "DynamoDB can't be reached or failed; check the endpoint and region, and try again",
  'bad-reply': 'the answer is not from DynamoDB; check the endpoint, and any proxy on the way',
  'no-table':
    'there is no such table in this account and region; create it with createTable of @firn/manifest-dynamodb, or check table, region and credentials',
  schema: 'its key is not the one that Firn needs; create another table with createTable',
  credentials:
    'the credentials are missing, wrong or expired; renew them where the AWS SDK looks for them',
  permission:
    "these credentials don't allow the request; the README of @firn/manifest-dynamodb lists what each role needs",
  refused: 'DynamoDB rejected the request as invalid; check that createTable made the table',
}

const RETRYABLE: ReadonlySet<DynamoDbErrorReason> = new Set([
  'throttled',
  'timeout',
  'unavailable',
  'bad-reply',
])

/** Returns the error for a failure of this reason. */
export function failureOf(
  tableName: string,
  reason: DynamoDbErrorReason,
  options: { cause?: unknown; maybeDone?: boolean; retryable?: boolean } = {},
): DynamoDbError {
  return new DynamoDbError(`DynamoDB table '${tableName}': ${ADVICE[reason]}`, {
    retryable: RETRYABLE.has(reason),
    ...options,
    reason,
  })
}

/** Turns an error of the SDK into a typed one, which says if the request may have been done. */
export function classify(tableName: string, error: unknown): DynamoDbError {
  if (error instanceof DynamoDbError) return error
  const { name, $metadata } = (error ?? {}) as SdkError
  const reason = typeof name === 'string' ? REASONS[name] : undefined
  if (reason !== undefined) {
    // The SDK learns the server's time from such an answer, and signs the next request with it.
    const retryable = RETRYABLE.has(reason) || $metadata?.clockSkewCorrected === true
    return failureOf(tableName, reason, { cause: withoutSecrets(reason, error), retryable })
  }
  const status = $metadata?.httpStatusCode
  if (status === undefined) {
    const maybeDone = !isBeforeConnection(error)
    return failureOf(tableName, 'unavailable', { cause: error, maybeDone })
  }
  if (status >= 500) return failureOf(tableName, 'unavailable', { cause: error, maybeDone: true })
  // DynamoDB's rejections have a name. Any other answer comes from something in between.
  const named = status >= 400 && isException(error) && name !== 'Unknown'
  if (named) return failureOf(tableName, 'refused', { cause: error })
  return failureOf(tableName, 'bad-reply', { cause: error, maybeDone: true })
}

/** Whether a condition failed. The error's `Item` is the item that failed it. */
export function isConditionFailure(error: unknown): boolean {
  return (error as SdkError | undefined)?.name === 'ConditionalCheckFailedException'
}

function isException(error: unknown): boolean {
  return typeof error === 'object' && error !== null && '$fault' in error
}

/** Whether there was no connection yet, so that nothing was sent. */
function isBeforeConnection(error: unknown): boolean {
  const { syscall, errors } = (error ?? {}) as SdkError
  // Several addresses of one host were tried.
  if (Array.isArray(errors) && errors.length > 0) return errors.every(isBeforeConnection)
  return syscall === 'connect' || syscall === 'getaddrinfo'
}

/** Removes secrets from an error: a refused signature may quote the request's headers. */
function withoutSecrets(reason: DynamoDbErrorReason, error: unknown): unknown {
  const { name, message } = error as SdkError
  if (reason !== 'credentials' || name === 'CredentialsProviderError') return error
  const safe = new Error(String(message).split('\n')[0])
  safe.name = String(name)
  return safe
}
