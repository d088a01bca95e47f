import { isFirnError } from '@firn/env'
import { ObjectNotFoundError, PreconditionFailedError } from '@firn/object-store'
import {
  BucketNotFoundError,
  S3ConfigurationError,
  S3CredentialsError,
  S3RequestError,
} from '../errors.js'
import { CREDENTIAL_CODES, meaningOf, REGION_CODES } from './s3-codes.js'

/** What a request was for, as far as its failure can tell. */
export interface Attempted {
  /** As "reading object 'a/b'". */
  doing: string
  bucket: string
  /** The key that the caller knows, where one object was asked for. */
  key?: string
  /** The condition of a write. */
  condition?: 'ifAbsent' | 'ifMatch' | undefined
}

/**
 * The errors of the SDK, as they are:
 * - S3's answers are `S3ServiceException`s: `name` holds S3's code ('Unknown' where the answer to a
 *   HEAD had no body to hold one), `$metadata.httpStatusCode` the status.
 * - An answer that can't be parsed is whatever the parser threw, with the same `$metadata`.
 * - Connections fail with Node's errors, or `fetch`'s, whose `$metadata` has no status.
 * - What fails before a request is made (no credentials, no region) has no `$metadata`.
 */
interface SdkError {
  name?: unknown
  code?: unknown
  $metadata?: { httpStatusCode?: number; requestId?: string }
}

/** S3's code for an answer of its, or `undefined` for other errors. */
export function s3CodeOf(error: unknown): string | undefined {
  const { name, $metadata } = (error ?? {}) as SdkError
  const answered = $metadata?.httpStatusCode !== undefined && typeof name === 'string'
  return answered && name !== 'Unknown' && name !== 'Error' ? name : undefined
}

/** The HTTP status of an answer, or `undefined` for errors without one. */
export function statusOf(error: unknown): number | undefined {
  return ((error ?? {}) as SdkError).$metadata?.httpStatusCode
}

/** Whether an error came up before there was anything to send. */
export function isUnsent(error: unknown): boolean {
  return ((error ?? {}) as SdkError).$metadata === undefined && !isFirnError(error)
}

/** Whether an answer didn't come in time. The SDK calls a broken connection a TimeoutError, too. */
export function isLate(error: unknown): boolean {
  const { name, code } = (error ?? {}) as SdkError
  return code === 'ETIMEDOUT' || (name === 'TimeoutError' && code === undefined)
}

/** The typed form of whatever the SDK throws. */
export function typedError(error: unknown, attempted: Attempted): unknown {
  if (isFirnError(error)) return error
  const status = statusOf(error)
  if (status !== undefined) return answeredError(error, status, attempted)
  return isUnsent(error) ? unsentError(error, attempted) : connectionError(error, attempted)
}

/** An answer that contradicts itself or the question. */
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
    // AWS answers so where there is nothing to replace.
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

/** Whether S3 says that it didn't do it, and won't. */
function isRefused(code: string | undefined, status: number, reason: string): boolean {
  if (status === 501 || status === 507) return true
  if (status < 400 || status >= 500) return false
  // A conflict is with a request that may be this one, a timeout is no answer, and a multipart
  // upload is gone once it is complete.
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
  const where = `${doing} in bucket '${bucket}' could not be tried`
  if (name === 'CredentialsProviderError' || name === 'TokenProviderError') {
    return new S3CredentialsError(
      `${where}, since there are no credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, ` +
        'AWS_PROFILE, or give the machine a role',
      { cause: error },
    )
  }
  return new S3ConfigurationError(
    `${where}; check region (AWS_REGION), credentials and endpoint, and the cause of this error`,
    { cause: error },
  )
}

/**
 * What an error of the SDK says, without what hangs on it: the answer, and by that the connection,
 * the request's signature and session token, and what S3 repeats of them. Logs are no place for
 * those.
 */
export function bare(error: unknown): Error {
  const { name, message, code, $metadata } = error as Error & SdkError
  const kept: Error & SdkError = new Error(message)
  kept.name = name
  if (code !== undefined) kept.code = code
  if ($metadata !== undefined) kept.$metadata = $metadata
  return kept
}
