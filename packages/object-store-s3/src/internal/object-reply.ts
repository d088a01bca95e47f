import type { GetObjectCommandOutput } from '@aws-sdk/client-s3'
import { isError } from '@firn/env'
import {
  type ByteRange,
  PreconditionFailedError,
  resolveRange,
  type StoredObject,
} from '@firn/object-store'
import { S3RequestError } from '../errors.js'
import { etagOf } from './etag.js'
import { badReply, bare, isLate } from './s3-errors.js'

type Body = NonNullable<GetObjectCommandOutput['Body']>

/** Formats the Range header of a range that isn't empty. HTTP can't give a suffix an end. */
export function rangeHeader({ start, end }: ByteRange): string {
  if (start < 0) return `bytes=${start}`
  return `bytes=${start}-${end === undefined ? '' : end - 1}`
}

/**
 * Checks the answer to a GET and returns its object. The range must be the requested one, the body
 * must have its length, and the ETag must be that of `ifMatch` (Ceph's gateway ignores If-Match on
 * reads). Reads the body only if the headers are right.
 */
export async function readReply(
  key: string,
  reply: GetObjectCommandOutput,
  asked: ByteRange | undefined,
  ifMatch: string | undefined,
): Promise<StoredObject> {
  const doing = `reading object '${key}'`
  try {
    const etag = etagOf(reply.ETag, doing)
    if (ifMatch !== undefined && ifMatch !== etag) throw new PreconditionFailedError(key, 'ifMatch')
    const { start, end, size } = extentOf(reply, asked, doing)
    const length = end - start
    if (reply.ContentLength !== undefined && reply.ContentLength !== length) {
      throw badReply(doing, `has a Content-Length of ${reply.ContentLength}, not ${length}`)
    }
    const bytes = await readBody(reply.Body, doing)
    if (bytes.length !== length) {
      throw badReply(doing, `has ${bytes.length} bytes, not ${length}`)
    }
    const wanted = resolveRange(asked, size)
    const cut = wanted.end === end ? bytes : bytes.slice(0, wanted.end - start)
    return { key, size, etag, bytes: cut, offset: start }
  } catch (error) {
    discard(reply.Body)
    throw error
  }
}

/** Returns the range and the size in the answer; throws if the range isn't the requested one. */
function extentOf(
  reply: GetObjectCommandOutput,
  asked: ByteRange | undefined,
  doing: string,
): { start: number; end: number; size: number } {
  if (asked === undefined) {
    const size = reply.ContentLength
    if (reply.ContentRange !== undefined) throw badReply(doing, 'has only a part of the object')
    if (size === undefined) throw badReply(doing, 'has no length')
    return { start: 0, end: size, size }
  }
  const said = /^bytes (\d{1,15})-(\d{1,15})\/(\d{1,15})$/.exec(reply.ContentRange ?? '')
  if (said === null) throw badReply(doing, 'has no valid Content-Range')
  const [start, last, size] = said.slice(1).map(Number) as [number, number, number]
  const expected = resolveRange(asked.start < 0 ? { start: asked.start } : asked, size)
  if (start !== expected.start || last + 1 !== expected.end) {
    throw badReply(doing, 'has another range than requested')
  }
  return { ...expected, size }
}

async function readBody(body: Body | undefined, doing: string): Promise<Uint8Array> {
  if (body === undefined) return new Uint8Array(0)
  let read: Uint8Array
  try {
    read = await body.transformToByteArray()
  } catch (error) {
    // The SDK has no other sign of a wrong checksum.
    if (isError(error) && error.message.startsWith('Checksum mismatch')) {
      throw badReply(
        doing,
        "does not match its checksum; if that persists, the server's checksums may differ from S3's: set AWS_RESPONSE_CHECKSUM_VALIDATION=when_required",
        bare(error),
      )
    }
    throw new S3RequestError(`S3's answer to ${doing} broke off in the middle`, {
      reason: isLate(error) ? 'timeout' : 'unavailable',
      retryable: true,
      cause: bare(error),
    })
  }
  // `read` may be a Buffer, or part of a shared buffer; the caller gets neither.
  const isAlone = read.byteLength === read.buffer.byteLength
  return isAlone ? new Uint8Array(read.buffer) : new Uint8Array(read)
}

/** Releases an answer without reading its body. */
function discard(body: Body | undefined): void {
  const stream = body as
    | { destroy?(): void; cancel?(): Promise<void>; locked?: boolean }
    | undefined
  if (stream?.destroy !== undefined) stream.destroy()
  else if (stream?.locked === false) stream.cancel?.().catch(() => {})
}
