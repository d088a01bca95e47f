import type { ObjectStoreErrorReason } from '@firn/object-store'

/** Meaning of an S3 error for the caller. */
export interface Meaning {
  reason: ObjectStoreErrorReason
  retryable: boolean
  advice: string
}

const THROTTLED: Meaning = {
  reason: 'throttled',
  retryable: true,
  advice: 'S3 asks for fewer requests; try again later',
}
const UNAVAILABLE: Meaning = {
  reason: 'unavailable',
  retryable: true,
  advice: 'S3 had an internal failure; try again',
}
const TIMEOUT: Meaning = { reason: 'timeout', retryable: true, advice: 'no answer came in time' }
const DAMAGED: Meaning = {
  reason: 'bad-reply',
  retryable: true,
  advice: 'the data was damaged on its way to S3; try again',
}
const CONFLICT: Meaning = {
  reason: 'unavailable',
  retryable: true,
  advice: 'another conditional request was under way, and it is unknown whether this one was done',
}
const DENIED: Meaning = {
  reason: 'permission',
  retryable: false,
  advice: 'check the policies of the caller and of the bucket',
}
const FULL: Meaning = {
  reason: 'no-space',
  retryable: false,
  advice: 'the storage or its quota is full; free some space',
}
/** Settings for servers that don't know the SDK's checksums. */
const WITHOUT_CHECKSUMS =
  'set AWS_REQUEST_CHECKSUM_CALCULATION=when_required and AWS_RESPONSE_CHECKSUM_VALIDATION=when_required'
const UNKNOWN_HEADER: Meaning = {
  reason: 'bad-reply',
  retryable: false,
  advice: `the server does not know a header of the request. If it is a checksum, which the AWS SDK sends by default, ${WITHOUT_CHECKSUMS}`,
}
const UNKNOWN_CHECKSUM: Meaning = {
  reason: 'bad-reply',
  retryable: false,
  advice: `the server does not know the checksums that the AWS SDK sends by default: ${WITHOUT_CHECKSUMS}`,
}
const REFUSED: Meaning = {
  reason: 'bad-reply',
  retryable: false,
  advice: 'S3 rejected the request as invalid',
}

/**
 * Codes of S3 and of compatible services.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
 */
const BY_CODE: Readonly<Record<string, Meaning>> = {
  SlowDown: THROTTLED,
  Throttling: THROTTLED,
  ThrottlingException: THROTTLED,
  ThrottledException: THROTTLED,
  RequestThrottled: THROTTLED,
  RequestThrottledException: THROTTLED,
  RequestLimitExceeded: THROTTLED,
  TooManyRequests: THROTTLED,
  TooManyRequestsException: THROTTLED,
  BandwidthLimitExceeded: THROTTLED,
  'KMS.ThrottlingException': THROTTLED,
  InternalError: UNAVAILABLE,
  ServiceUnavailable: UNAVAILABLE,
  Busy: UNAVAILABLE,
  RequestTimeout: TIMEOUT,
  RequestTimeoutException: TIMEOUT,
  // The SDK corrects its clock with the answer, so the next attempt has the right time.
  RequestTimeTooSkewed: {
    reason: 'permission',
    retryable: true,
    advice: "set this machine's clock, which is far off S3's",
  },
  ConditionalRequestConflict: CONFLICT,
  OperationAborted: CONFLICT,
  BadDigest: DAMAGED,
  IncompleteBody: DAMAGED,
  XAmzContentSHA256Mismatch: DAMAGED,
  XAmzContentChecksumMismatch: DAMAGED,
  NotImplemented: UNKNOWN_HEADER,
  XNotImplemented: UNKNOWN_HEADER,
  AccessDenied: DENIED,
  AllAccessDisabled: DENIED,
  AccountProblem: DENIED,
  InvalidObjectState: {
    reason: 'permission',
    retryable: false,
    advice: 'the object was moved to an archive: restore it, and exempt it from the lifecycle rule',
  },
  NoSuchUpload: {
    reason: 'unavailable',
    retryable: false,
    advice: 'the multipart upload is gone; start the upload again',
  },
  QuotaExceeded: FULL,
  XMinioStorageFull: FULL,
}

/** Codes for credentials that S3 doesn't accept, with advice. */
export const CREDENTIAL_CODES: Readonly<Record<string, string>> = {
  ExpiredToken: 'the session token has expired: renew the credentials',
  ExpiredTokenException: 'the session token has expired: renew the credentials',
  TokenRefreshRequired: 'the session token has expired: renew the credentials',
  InvalidToken: 'the session token is not valid: check AWS_SESSION_TOKEN, or renew the credentials',
  InvalidAccessKeyId: 'the service does not know the access key: check credentials and endpoint',
  SignatureDoesNotMatch: 'the signature does not match: check the secret access key',
  InvalidClientTokenId: 'the service does not know the access key: check the credentials',
  UnrecognizedClientException: 'the service does not know the access key: check the credentials',
}

/** Codes for a bucket in another region. */
export const REGION_CODES: ReadonlySet<string> = new Set([
  'PermanentRedirect',
  'TemporaryRedirect',
  'AuthorizationHeaderMalformed',
  'IllegalLocationConstraintException',
])

/** Matches the messages of servers that don't know checksums. */
const OF_CHECKSUMS = /checksum|x-amz-trailer|aws-chunked|STREAMING-/i

/** Classifies an answer by its code, or else by its status. `message` is the server's. */
export function meaningOf(
  code: string | undefined,
  status: number | undefined,
  message = '',
): Meaning {
  const isDamage = code !== undefined && Object.hasOwn(BY_CODE, code) && BY_CODE[code] === DAMAGED
  if (!isDamage && (status === 400 || status === 501) && OF_CHECKSUMS.test(message)) {
    return UNKNOWN_CHECKSUM
  }
  const known = code === undefined || !Object.hasOwn(BY_CODE, code) ? undefined : BY_CODE[code]
  if (known !== undefined) return known
  if (code?.startsWith('KMS.') === true) {
    return { ...DENIED, advice: 'check the KMS key, its state, and its policy' }
  }
  return byStatus(status)
}

function byStatus(status: number | undefined): Meaning {
  switch (status) {
    case 401:
    case 403:
      return { ...DENIED, advice: 'check the credentials, and the policies of caller and bucket' }
    case 408:
    case 504:
      return TIMEOUT
    case 409:
      return CONFLICT
    case 429:
    case 503:
      return THROTTLED
    case 501:
      return UNKNOWN_HEADER
    case 507:
      return FULL
  }
  if (status === undefined || status >= 500) return UNAVAILABLE
  if (status >= 300) return REFUSED
  return { reason: 'bad-reply', retryable: true, advice: 'the answer makes no sense' }
}
