import type { ObjectStoreErrorReason } from '@firn/object-store'

/** What an error of S3 means to the caller. */
export interface Meaning {
  reason: ObjectStoreErrorReason
  retryable: boolean
  advice: string
}

const THROTTLED: Meaning = {
  reason: 'throttled',
  retryable: true,
  advice: 'S3 asks for fewer requests',
}
const UNAVAILABLE: Meaning = {
  reason: 'unavailable',
  retryable: true,
  advice: 'S3 failed in itself; try again',
}
const TIMEOUT: Meaning = { reason: 'timeout', retryable: true, advice: 'no answer came in time' }
const DAMAGED: Meaning = {
  reason: 'bad-reply',
  retryable: true,
  advice: 'what arrived at S3 was not what was sent; try again',
}
const CONFLICT: Meaning = {
  reason: 'unavailable',
  retryable: true,
  advice: 'another conditional request was under way, and whether this one was done is unknown',
}
const DENIED: Meaning = {
  reason: 'permission',
  retryable: false,
  advice: 'check the policies of the caller and of the bucket',
}
const FULL: Meaning = { reason: 'no-space', retryable: false, advice: 'make room' }
/** What to set for servers that know nothing of the SDK's checksums. */
const WITHOUT_CHECKSUMS =
  'set AWS_REQUEST_CHECKSUM_CALCULATION=when_required and AWS_RESPONSE_CHECKSUM_VALIDATION=when_required'
const UNKNOWN_HEADER: Meaning = {
  reason: 'bad-reply',
  retryable: false,
  advice: `the server does not know a header of the request. Where that is a checksum, as the AWS SDK sends one by default, ${WITHOUT_CHECKSUMS}`,
}
const UNKNOWN_CHECKSUM: Meaning = {
  reason: 'bad-reply',
  retryable: false,
  advice: `the server does not know the checksums that the AWS SDK sends by default: ${WITHOUT_CHECKSUMS}`,
}
const REFUSED: Meaning = {
  reason: 'bad-reply',
  retryable: false,
  advice: 'S3 does not take the request as it is',
}

/**
 * S3's codes, and those of its relatives.
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
  // The SDK corrects its clock by the answer, so that the next attempt has the right time.
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

/** Codes of credentials that S3 doesn't accept, and what to do about it. */
export const CREDENTIAL_CODES: Readonly<Record<string, string>> = {
  ExpiredToken: 'the session token has expired: renew the credentials',
  ExpiredTokenException: 'the session token has expired: renew the credentials',
  TokenRefreshRequired: 'the session token has expired: renew the credentials',
  InvalidToken: 'the session token is not valid: check AWS_SESSION_TOKEN, or renew the credentials',
  InvalidAccessKeyId: 'the access key is not known there: check the credentials and the endpoint',
  SignatureDoesNotMatch: 'the signature does not match: check the secret access key',
  InvalidClientTokenId: 'the access key is not known there: check the credentials',
  UnrecognizedClientException: 'the access key is not known there: check the credentials',
}

/** Codes of a bucket that lives elsewhere. */
export const REGION_CODES: ReadonlySet<string> = new Set([
  'PermanentRedirect',
  'TemporaryRedirect',
  'AuthorizationHeaderMalformed',
  'IllegalLocationConstraintException',
])

/** How servers call what they don't know of checksums, in words. */
const OF_CHECKSUMS = /checksum|x-amz-trailer|aws-chunked|STREAMING-/i

/**
 * What an answer means, by its code, or else by its status; `message` is what the server says to
 * it.
 */
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
  return { reason: 'bad-reply', retryable: true, advice: 'its answer makes no sense' }
}
