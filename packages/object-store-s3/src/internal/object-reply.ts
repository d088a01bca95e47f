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

/**
 * The Range header for a range that isn't empty. A suffix is asked for whole: HTTP can't end it.
 */
export function rangeHeader({ start, end }: ByteRange): string {
  if (start < 0) return `bytes=${start}`
  return `bytes=${start}-${end === undefined ? '' : end - 1}`
}

/**
 * Makes an object of the answer to a GET, of which nothing is believed: the range must be the one
 * that was asked for, the body as long as it, the ETag the one that `ifMatch` names (Ceph's gateway
 * ignores If-Match on reads). The body is read only when the rest holds.
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
      throw badReply(doing, `has ${reply.ContentLength} bytes where it says ${length}`)
    }
    const bytes = await readBody(reply.Body, doing)
    if (bytes.length !== length) {
      throw badReply(doing, `has ${bytes.length} bytes where it says ${length}`)
    }
    const wanted = resolveRange(asked, size)
    const cut = wanted.end === end ? bytes : bytes.slice(0, wanted.end - start)
    return { key, size, etag, bytes: cut, offset: start }
  } catch (error) {
    discard(reply.Body)
    throw error
  }
}

/** Which bytes of how many the answer holds; throws where they aren't those that were asked for. */
function extentOf(
  reply: GetObjectCommandOutput,
  asked: ByteRange | undefined,
  doing: string,
): { start: number; end: number; size: number } {
  if (asked === undefined) {
    const size = reply.ContentLength
    if (reply.ContentRange !== undefined) throw badReply(doing, 'is a part of it')
    if (size === undefined) throw badReply(doing, 'says nowhere how long it is')
    return { start: 0, end: size, size }
  }
  const said = /^bytes (\d{1,15})-(\d{1,15})\/(\d{1,15})$/.exec(reply.ContentRange ?? '')
  if (said === null) throw badReply(doing, 'does not say which part of it it is')
  const [start, last, size] = said.slice(1).map(Number) as [number, number, number]
  const expected = resolveRange(asked.start < 0 ? { start: asked.start } : asked, size)
  if (start !== expected.start || last + 1 !== expected.end) {
    throw badReply(doing, 'is another part of it than was asked for')
  }
  return { ...expected, size }
}

async function readBody(body: Body | undefined, doing: string): Promise<Uint8Array> {
  if (body === undefined) return new Uint8Array(0)
  let read: Uint8Array
  try {
    read = await body.transformToByteArray()
  } catch (error) {
    // The SDK's only way to say so.
    if (isError(error) && error.message.startsWith('Checksum mismatch')) {
      throw badReply(
        doing,
        'has bytes that its checksum does not fit; if that stays so, the server may make checksums that are not S3’s: set AWS_RESPONSE_CHECKSUM_VALIDATION=when_required',
        bare(error),
      )
    }
    throw new S3RequestError(`S3's answer to ${doing} broke off in the middle`, {
      reason: isLate(error) ? 'timeout' : 'unavailable',
      retryable: true,
      cause: bare(error),
    })
  }
  // It may be a Buffer, or a part of a buffer that others use; the caller gets neither.
  const isAlone = read.byteLength === read.buffer.byteLength
  return isAlone ? new Uint8Array(read.buffer) : new Uint8Array(read)
}

/** Lets go of an answer whose body nobody wants. */
function discard(body: Body | undefined): void {
  const stream = body as
    | { destroy?(): void; cancel?(): Promise<void>; locked?: boolean }
    | undefined
  if (stream?.destroy !== undefined) stream.destroy()
  else if (stream?.locked === false) stream.cancel?.().catch(() => {})
}
