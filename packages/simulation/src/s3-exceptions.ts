import { S3ServiceException } from '@aws-sdk/client-s3'
import type { FaultKind } from './faults.js'

/** S3's error codes, with the status of each. */
const STATUS = {
  NoSuchKey: 404,
  /** `NoSuchKey` in the answer to a HEAD. */
  NotFound: 404,
  NoSuchUpload: 404,
  InvalidPart: 400,
  InvalidPartOrder: 400,
  PreconditionFailed: 412,
  ConditionalRequestConflict: 409,
  InvalidRange: 416,
  InternalError: 500,
  SlowDown: 503,
  /** Ceph's gateway answers this to a replacement that lost its race. */
  UnknownError: 500,
} as const

type S3Code = keyof typeof STATUS

/** Makes S3's refusal in the form in which the SDK throws it. */
export function refusal(code: S3Code): S3ServiceException {
  return serviceException(code, STATUS[code])
}

/**
 * Makes the error that the SDK throws if a fault keeps an answer from the client. The answer to a
 * HEAD has no body, so it has no code.
 */
export function failureOf(kind: FaultKind, isHead: boolean): Error {
  const refused = (code: S3Code): Error =>
    isHead ? serviceException('Unknown', STATUS[code]) : refusal(code)
  switch (kind) {
    case 'throttled':
      return refused('SlowDown')
    case 'conflict':
      return refused('ConditionalRequestConflict')
    case 'late-apply':
      return refused('InternalError')
    case 'very-late':
      return brokenConnection('TimeoutError', undefined, 'socket timed out')
    case 'fail-before':
      return brokenConnection('Error', 'ECONNREFUSED', 'connect ECONNREFUSED')
    default:
      // The SDK's handler also gives this name to connections that are reset.
      return brokenConnection('TimeoutError', 'ECONNRESET', 'socket hang up')
  }
}

function serviceException(name: string, httpStatusCode: number): S3ServiceException {
  const $fault = httpStatusCode < 500 ? 'client' : 'server'
  return new S3ServiceException({ name, message: name, $fault, $metadata: { httpStatusCode } })
}

/** Without an answer there is no status. */
function brokenConnection(name: string, code: string | undefined, message: string): Error {
  const $metadata = { attempts: 1, totalRetryDelay: 0 }
  return Object.assign(new Error(message), { name, $metadata, ...(code !== undefined && { code }) })
}
