import { isFirnError } from '@firn/env'
import { ObjectNotFoundError, PreconditionFailedError } from '@firn/object-store'
import {
  BucketNotFoundError,
  S3ConfigurationError,
  S3CredentialsError,
  S3RequestError,
} from '../errors.js'
import { CREDENTIAL_CODES, meaningOf, REGION_CODES } from './s3-codes.js'

/** Purpose of a request, for the errors of its failure. */
export interface Attempted {
  /** For messages, such as "reading object 'a/b'". */
  doing: string
  bucket: string
  /** The caller's key, if the request is about one object. */
  key?: string
  /** The condition of a write. */
  condition?: 'ifAbsent' | 'ifMatch' | undefined
}

/**
 * Shape of the SDK's errors:
 * - For an answer of S3, an `S3ServiceException`: `name` is S3's code (or 'Unknown' for a HEAD,
 *   whose answer has no body), and `$metadata.httpStatusCode` is the status.
 * - For an answer that can't be parsed, the parser's error, also with `$metadata`.
 * - For a failed connection, an error of Node.js or `fetch`, whose `$metadata` has no status.
 * - For a failure before the request (no credentials, no region), an error without `$metadata`.
 */
interface SdkError {
  name?: unknown
  code?: unknown
  $metadata?: { httpStatusCode?: number; requestId?: string }
}

/** S3's code in an answer; `undefined` for other errors. */
export function s3CodeOf(error: unknown): string | undefined {
  const { name, $metadata } = (error ?? {}) as SdkError
  const answered = $metadata?.httpStatusCode !== undefined && typeof name === 'string'
  return answered && name !== 'Unknown' && name !== 'Error' ? name : undefined
}

/** The HTTP status of an answer; `undefined` for errors without one. */
export function statusOf(error: unknown): number | undefined {
  return ((error ?? {}) as SdkError).$metadata?.httpStatusCode
}

/** Whether an error happened before anything was sent. */
export function isUnsent(error: unknown): boolean {
  return ((error ?? {}) as SdkError).$metadata === undefined && !isFirnError(error)
}

/** Whether no answer came in time. The SDK also calls a broken connection a TimeoutError. */
export function isLate(error: unknown): boolean {
  const { name, code } = (error ?? {}) as SdkError
  return code === 'ETIMEDOUT' || (name === 'TimeoutError' && code === undefined)
}

/** Turns any error of the SDK into a typed one. */
export function typedError(error: unknown, attempted: Attempted): unknown {
  if (isFirnError(error)) return error
  const status = statusOf(error)
  if (status !== undefined) return answeredError(error, status, attempted)
  return isUnsent(error) ? unsentError(error, attempted) : connectionError(error, attempted)
}

/** Returns an error for an answer that contradicts itself or the request. */
export function badReply(doing: string, what: string, cause?: unknown): S3RequestError {
  return new S3RequestError(`S3's answer to ${doing} ${what}`, {
    reason: 'bad-reply',
    retryable: true,
    cause,
  })
}

function answeredError(error: unknown, status: number, attempted: Attempted): unknown {
  const { doing, bucket, key, condition } = attempted
  const cause = bare(error)
  const code = s3CodeOf(error)
  const { requestId } = (error as SdkError).$metadata ?? {}
  const said = code ?? `status ${status}`
  if (code === 'NoSuchBucket') return new BucketNotFoundError(bucket, { cause })
  if (key !== undefined && (code === 'NoSuchKey' || (status === 404 && code !== 'NoSuchUpload'))) {
    // AWS answers this if there is nothing to replace.
    if (condition === 'ifMatch') return new PreconditionFailedError(key, condition, { cause })
    return new ObjectNotFoundError(key, { cause })
  }
  if (status === 412 && key !== undefined) {
    return new PreconditionFailedError(key, condition ?? 'ifMatch', { cause })
  }
  if (code !== undefined && Object.hasOwn(CREDENTIAL_CODES, code)) {
    return new S3CredentialsError(
      `${doing} in bucket '${bucket}' was refused with ${said}; ${CREDENTIAL_CODES[code]}`,
      { cause },
    )
  }
  if (status === 301 || status === 307 || (code !== undefined && REGION_CODES.has(code))) {
    return new S3ConfigurationError(
      `${doing} was refused with ${said}; bucket '${bucket}' is in another region: set AWS_REGION, ` +
        "or the client's region, to the bucket's",
      { cause },
    )
  }
  const { reason, retryable, advice } = meaningOf(code, status, (error as Error).message)
  const id = requestId === undefined ? '' : ` (request ${requestId})`
  return new S3RequestError(`${doing} in bucket '${bucket}' failed with ${said}${id}; ${advice}`, {
    reason,
    retryable,
    maybeDone: !isRefused(code, status, reason),
    cause,
    s3Code: code,
    status,
    requestId,
  })
}

/** Whether S3 says that it didn't carry out the request, and won't. */
function isRefused(code: string | undefined, status: number, reason: string): boolean {
  if (status === 501 || status === 507) return true
  if (status < 400 || status >= 500) return false
  // A conflict may be with this very request, a timeout is not an answer, and a multipart upload is
  // also gone after it completed.
  return status !== 408 && status !== 409 && reason !== 'timeout' && code !== 'NoSuchUpload'
}

function connectionError(error: unknown, { doing, bucket }: Attempted): unknown {
  const { name, code } = error as SdkError
  const said = typeof code === 'string' ? code : String(name)
  const where = `${doing} in bucket '${bucket}' failed with ${said}`
  if (/^(CERT_|DEPTH_ZERO_|ERR_TLS_|ERR_SSL_|SELF_SIGNED_|UNABLE_TO_)/.test(said)) {
    return new S3ConfigurationError(
      `${where}; the endpoint's certificate is not trusted: check the endpoint, or NODE_EXTRA_CA_CERTS`,
      { cause: bare(error) },
    )
  }
  const late = isLate(error)
  const advice = late ? 'no answer came in time' : 'S3 could not be reached, or hung up'
  return new S3RequestError(`${where}; ${advice}: check the endpoint and the network`, {
    reason: late ? 'timeout' : 'unavailable',
    retryable: true,
    cause: bare(error),
  })
}

function unsentError(error: unknown, { doing, bucket }: Attempted): unknown {
  const { name } = (error ?? {}) as SdkError
  const where = `${doing} in bucket '${bucket}' could not be attempted`
  if (name === 'CredentialsProviderError' || name === 'TokenProviderError') {
    return new S3CredentialsError(
      `${where}, since there are no credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, ` +
        'or AWS_PROFILE, or give the machine a role',
      { cause: error },
    )
  }
  return new S3ConfigurationError(
    `${where}; check region (AWS_REGION), credentials and endpoint, and the cause of this error`,
    { cause: error },
  )
}

/**
 * Copies an error of the SDK without the answer attached to it. The answer holds the connection,
 * the request's signature and session token, and S3's echo of them, which must not get into logs.
 */
export function bare(error: unknown): Error {
  const { name, message, code, $metadata } = error as Error & SdkError
  const kept: Error & SdkError = new Error(message)
  kept.name = name
  if (code !== undefined) kept.code = code
  if ($metadata !== undefined) kept.$metadata = $metadata
  return kept
}
