import { S3ServiceException } from '@aws-sdk/client-s3'
import type { FaultKind } from './faults.js'

/** S3's codes, and the status that each comes with. */
const STATUS = {
  NoSuchKey: 404,
  /** The same of a HEAD. */
  NotFound: 404,
  NoSuchUpload: 404,
  InvalidPart: 400,
  InvalidPartOrder: 400,
  PreconditionFailed: 412,
  ConditionalRequestConflict: 409,
  InvalidRange: 416,
  InternalError: 500,
  SlowDown: 503,
  /** Of a replacement that lost its race, where it is Ceph's gateway that says so. */
  UnknownError: 500,
} as const

type S3Code = keyof typeof STATUS

/** S3 says no, as the SDK tells it. */
export function refusal(code: S3Code): S3ServiceException {
  return serviceException(code, STATUS[code])
}

/**
 * What the SDK throws where a fault keeps an answer from the client; that to a HEAD has no body
 * with a code.
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
      // The SDK's handler gives this name to connections that are reset, too.
      return brokenConnection('TimeoutError', 'ECONNRESET', 'socket hang up')
  }
}

function serviceException(name: string, httpStatusCode: number): S3ServiceException {
  const $fault = httpStatusCode < 500 ? 'client' : 'server'
  return new S3ServiceException({ name, message: name, $fault, $metadata: { httpStatusCode } })
}

/** There was no answer, and so no status. */
function brokenConnection(name: string, code: string | undefined, message: string): Error {
  const $metadata = { attempts: 1, totalRetryDelay: 0 }
  return Object.assign(new Error(message), { name, $metadata, ...(code !== undefined && { code }) })
}
