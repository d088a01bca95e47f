import type { BucketObject } from './bucket.js'
import { truncated, withFlippedBit } from './damage.js'
import type { Decisions } from './decisions.js'
import type { FaultKind } from './faults.js'
import { refusal } from './s3-exceptions.js'
import { Violation } from './violation.js'

/** An answer in the SDK's form, with the parts that Firn reads. */
export interface Reply {
  ETag?: string
  Metadata?: Readonly<Record<string, string>>
  ContentLength?: number
  ContentRange?: string
  Body?: Body
  Contents?: readonly { Key: string; Size: number; ETag: string }[]
  KeyCount?: number
  IsTruncated?: boolean
  NextContinuationToken?: string
  UploadId?: string
}

/** The bytes of an answer, which may break off during a read. */
class Body {
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly #failure: Error | undefined

  constructor(bytes: Uint8Array, failure?: Error) {
    this.bytes = bytes.slice()
    this.#failure = failure
  }

  async transformToByteArray(): Promise<Uint8Array> {
    if (this.#failure !== undefined) throw this.#failure
    return this.bytes
  }
}

/** Answers a GET of an object, or of the range in its header. */
export function readReply(object: BucketObject, range: string | undefined): Reply {
  const { bytes, etag, metadata } = object
  const head = { ETag: `"${etag}"`, Metadata: metadata }
  if (range === undefined) {
    return { ...head, ContentLength: bytes.length, Body: new Body(bytes) }
  }
  const { start, end } = extentOf(range, bytes.length)
  return partOf(head, bytes.subarray(start, end), start, bytes.length)
}

function partOf(head: Reply, bytes: Uint8Array, start: number, size: number): Reply {
  const ContentRange = `bytes ${start}-${start + bytes.length - 1}/${size}`
  return { ...head, ContentLength: bytes.length, ContentRange, Body: new Body(bytes) }
}

/** Returns which bytes a Range header requests. If there are none, the answer is 416. */
function extentOf(header: string, size: number): { start: number; end: number } {
  const [, first, last] = /^bytes=(\d*)-(\d*)$/.exec(header) ?? []
  if (first === undefined || last === undefined || first + last === '') {
    throw new Violation(`a range nobody expected: ${header}`)
  }
  const start = first === '' ? Math.max(0, size - Number(last)) : Number(first)
  const end = first === '' || last === '' ? size : Math.min(size, Number(last) + 1)
  if (start >= end) throw refusal('InvalidRange')
  return { start, end }
}

export interface Page {
  prefix: string
  after: string
  most: number
}

/** Answers a list of objects, which are in order. */
export function pageOf(
  objects: Iterable<readonly [string, BucketObject]>,
  { prefix, after, most }: Page,
): Reply {
  const contents: { Key: string; Size: number; ETag: string }[] = []
  let isTruncated = false
  for (const [key, { bytes, etag }] of objects) {
    if (key <= after || !key.startsWith(prefix)) continue
    isTruncated = contents.length === most
    if (isTruncated) break
    contents.push({ Key: key, Size: bytes.length, ETag: `"${etag}"` })
  }
  const page = { Contents: contents, KeyCount: contents.length, IsTruncated: isTruncated }
  const last = contents.at(-1)
  return isTruncated && last !== undefined ? { ...page, NextContinuationToken: last.Key } : page
}

/**
 * Garbles the answer to a GET: either it contradicts itself, or only a reader that knows the bytes
 * can notice. `other` returns the answer to the same request for another object.
 */
export function garbledRead(
  reply: Reply,
  kind: FaultKind,
  decisions: Decisions,
  other: () => Reply,
): Reply {
  const bytes = reply.Body?.bytes
  if (bytes === undefined || bytes.length === 0) return reply
  switch (kind) {
    case 'truncated':
      return cut(reply, truncated(bytes, decisions), decisions)
    case 'flipped': {
      // The SDK checks the checksums of whole objects, if they have any.
      const isNoticed =
        reply.ContentRange === undefined && decisions.choose('checksum noticed', 4) === 1
      const failure = isNoticed ? new Error('Checksum mismatch: expected another one') : undefined
      return { ...reply, Body: new Body(withFlippedBit(bytes, decisions), failure) }
    }
    case 'wrong-object':
      return mixedUp(reply, other, decisions)
    default:
      return reply
  }
}

function cut(reply: Reply, bytes: Uint8Array, decisions: Decisions): Reply {
  switch (decisions.pick('truncated how', ['as said', 'unsaid', 'broken off'])) {
    case 'unsaid':
      return { ...reply, Body: new Body(bytes) }
    case 'broken off':
      return { ...reply, Body: new Body(bytes, new Error('aborted')) }
    case 'as said': {
      const start = startOf(reply)
      if (start === undefined)
        return { ...reply, ContentLength: bytes.length, Body: new Body(bytes) }
      return partOf(reply, bytes, start, start + bytes.length)
    }
  }
}

/** Returns another object's bytes in place of the object's own, or its whole answer. */
function mixedUp(reply: Reply, other: () => Reply, decisions: Decisions): Reply {
  let answer: Reply
  try {
    answer = other()
  } catch {
    // The other object has no such range.
    return { ...reply, Body: new Body(new Uint8Array(0)) }
  }
  if (decisions.choose('mixed up with its head', 2) === 1) return answer
  const { Body: body, ContentLength: length = 0 } = answer
  return body === undefined ? reply : { ...reply, ContentLength: length, Body: body }
}

/** Returns where a part of an object begins. */
function startOf({ ContentRange: range }: Reply): number | undefined {
  return range === undefined ? undefined : Number(/^bytes (\d+)-/.exec(range)?.[1])
}
