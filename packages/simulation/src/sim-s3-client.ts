import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  type S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3'
import type { Bucket, WriteCondition } from './bucket.js'
import type { FaultKind } from './faults.js'
import type { Exchange, Network } from './network.js'
import { failureOf, refusal } from './s3-exceptions.js'
import { garbledRead, pageOf, type Reply, readReply } from './s3-replies.js'
import type { Life } from './sim-process.js'
import { Violation } from './violation.js'

const ANY: readonly FaultKind[] = ['fail-before', 'lost-reply', 'throttled', 'slow']
const WEAK_LIST: readonly FaultKind[] = [...ANY, 'stale-list']
const READ: readonly FaultKind[] = [...ANY, 'truncated', 'flipped', 'wrong-object']
const WRITE: readonly FaultKind[] = [...ANY, 'late-apply', 'applied-twice']
const DELETE: readonly FaultKind[] = [...WRITE, 'very-late']
const CONDITIONAL: readonly FaultKind[] = [...WRITE, 'own-refusal', 'conflict']

/** How many changes a stale list misses at most. */
const STALEST_CHANGES = 60

/**
 * S3 servers. Ceph's gateway ignores conditions of completions, returns no ETag after them, and has
 * no error name for a lost race.
 */
export const S3_SERVERS = ['aws', 'ceph'] as const
export type S3Server = (typeof S3_SERVERS)[number]

export interface SimS3Options {
  /** The life that makes these requests. */
  life: Life
  bucket: Bucket
  network: Network
  /** Keys in one reply to a list. */
  pageKeys: number
  /** Default: AWS's. */
  server?: S3Server
  /** Whether lists may be stale. S3's never are. */
  listsMayBeStale?: boolean
  /**
   * How much longer uploads and reads of files, and each way of a request for a lease, may take, in
   * milliseconds.
   */
  slowness?: { uploadMs: number; readMs: number; leaseMs: number }
}

/**
 * Makes an S3 client like the AWS SDK's, for a simulated bucket: commands in, answers and
 * exceptions out.
 */
export function simS3Client(options: SimS3Options): S3Client {
  const { life, network, server = 'aws' } = options
  const client = {
    config: {
      maxAttempts: async () => 1,
      isCustomEndpoint: server !== 'aws',
      endpoint: async () => ({ hostname: 'localhost' }),
    },
    send: (command: object, { abortSignal }: { abortSignal?: AbortSignal } = {}) => {
      const { what, faults, apply, garble } = requestOf(command, options)
      return network.send<Reply>(life, {
        what,
        faults,
        signal: abortSignal,
        slowness: slownessOf(command, options),
        apply,
        failure: (kind) => failureOf(kind, command instanceof HeadObjectCommand),
        garble: (reply, kind) => garble?.(reply, kind) ?? reply,
      })
    },
    destroy: () => {},
  }
  return client as unknown as S3Client
}

/** Returns how much longer a request may take, by its purpose. */
function slownessOf(command: object, { slowness }: SimS3Options): Exchange<Reply>['slowness'] {
  if (slowness === undefined) return undefined
  const { uploadMs, readMs, leaseMs } = slowness
  const { Key: key = '' } = (command as { input: { Key?: string } }).input
  if (key.startsWith('leases/')) return { thereMs: leaseMs, backMs: leaseMs }
  if (!key.startsWith('sst/')) return undefined
  if (command instanceof GetObjectCommand) return { thereMs: readMs, backMs: 0 }
  const uploads = command instanceof PutObjectCommand || command instanceof UploadPartCommand
  return uploads ? { thereMs: uploadMs, backMs: 0 } : undefined
}

interface Request {
  what: string
  faults: readonly FaultKind[]
  apply: () => Reply
  garble?: (reply: Reply, kind: FaultKind) => Reply
}

function requestOf(command: object, options: SimS3Options): Request {
  const { bucket } = options
  if (command instanceof GetObjectCommand) return getOf(command, options)
  if (command instanceof HeadObjectCommand) {
    const { Key: key = '' } = command.input
    const apply = (): Reply => {
      const found = bucket.find(key)
      if (found === undefined) throw refusal('NotFound')
      const { bytes, etag, metadata } = found
      return { ContentLength: bytes.length, ETag: quoted(etag), Metadata: metadata }
    }
    return { what: `head ${key}`, faults: ANY, apply }
  }
  if (command instanceof PutObjectCommand) return putOf(command, options)
  if (command instanceof ListObjectsV2Command) return listOf(command, options)
  if (command instanceof DeleteObjectCommand) {
    const { Key: key = '' } = command.input
    const apply = (): Reply => {
      bucket.delete(key)
      return {}
    }
    return { what: `delete ${key}`, faults: DELETE, apply }
  }
  if (command instanceof DeleteObjectsCommand) {
    const keys = (command.input.Delete?.Objects ?? []).map(({ Key: key = '' }) => key)
    const apply = (): Reply => {
      for (const key of keys) bucket.delete(key)
      return {}
    }
    return { what: `delete ${keys.join(' ')}`, faults: DELETE, apply }
  }
  return uploadRequestOf(command, options)
}

function uploadRequestOf(command: object, { bucket, server }: SimS3Options): Request {
  if (command instanceof CreateMultipartUploadCommand) {
    const { Key: key = '', Metadata: metadata = {} } = command.input
    const apply = (): Reply => ({ UploadId: bucket.beginUpload(key, metadata) })
    return { what: `begin-upload ${key}`, faults: WRITE, apply }
  }
  if (command instanceof UploadPartCommand) {
    const { Key: key, UploadId: id = '', PartNumber: number = 0, Body: body } = command.input
    const sent = sentBytes(body)
    const apply = (): Reply => ({ ETag: quoted(bucket.putPart(id, number, sent)) })
    return {
      what: `send-part ${number} of ${key} (${sent.length} bytes)`,
      faults: WRITE,
      apply,
    }
  }
  if (command instanceof CompleteMultipartUploadCommand) {
    const {
      Key: key,
      UploadId: id = '',
      MultipartUpload: { Parts: parts = [] } = {},
    } = command.input
    const named = parts.map(({ PartNumber: number = 0, ETag: etag = '' }) => ({
      number,
      etag: bare(etag),
    }))
    const asked = conditionOf(command.input)
    const apply = (): Reply => {
      if (server === 'ceph') {
        bucket.completeUpload(id, named, {})
        return { ETag: '' }
      }
      return { ETag: quoted(bucket.completeUpload(id, named, asked ?? {})) }
    }
    const faults = asked === undefined ? WRITE : CONDITIONAL
    return { what: `complete-upload ${key}`, faults, apply }
  }
  if (command instanceof AbortMultipartUploadCommand) {
    const { Key: key, UploadId: id = '' } = command.input
    const apply = (): Reply => {
      bucket.abortUpload(id)
      return {}
    }
    return { what: `abort-upload ${key}`, faults: DELETE, apply }
  }
  throw new Violation(`a command nobody expected: ${command.constructor.name}`)
}

function getOf({ input }: GetObjectCommand, { bucket, life, server }: SimS3Options): Request {
  const { Key: key = '', Range: range, IfMatch: ifMatch } = input
  const apply = (): Reply => {
    const found = bucket.get(key)
    // Ceph's gateway ignores the condition.
    if (ifMatch !== undefined && server !== 'ceph' && bare(ifMatch) !== found.etag) {
      throw refusal('PreconditionFailed')
    }
    return readReply(found, range)
  }
  const garble = (reply: Reply, kind: FaultKind): Reply =>
    garbledRead(reply, kind, life.decisions, () => {
      const keys = bucket.keys()
      const other = keys[life.decisions.choose('wrong object', keys.length)]
      return other === undefined || other === key ? reply : readReply(bucket.get(other), range)
    })
  return { what: `get ${key}`, faults: READ, apply, garble }
}

function putOf({ input }: PutObjectCommand, { bucket, life, server }: SimS3Options): Request {
  const { Key: key = '', Metadata: metadata = {}, Body: body } = input
  const bytes = sentBytes(body)
  const asked = conditionOf(input)
  const apply = (): Reply => {
    const isLost = asked?.ifMatch !== undefined && bucket.find(key)?.etag !== asked.ifMatch
    if (server === 'ceph' && isLost && life.decisions.choose('lost without a name', 2) === 1) {
      throw refusal('UnknownError')
    }
    return { ETag: quoted(bucket.put(key, { bytes, metadata }, asked)) }
  }
  const faults = asked === undefined ? WRITE : CONDITIONAL
  return { what: `put ${key} (${bytes.length} bytes)`, faults, apply }
}

function listOf({ input }: ListObjectsV2Command, options: SimS3Options): Request {
  const { bucket, life, pageKeys, listsMayBeStale = false } = options
  const { Prefix: prefix = '', StartAfter, ContinuationToken, MaxKeys = 1000 } = input
  const after = ContinuationToken ?? StartAfter ?? ''
  const most = Math.min(MaxKeys, pageKeys)
  return {
    what: `list ${prefix} after ${after}`,
    faults: listsMayBeStale ? WEAK_LIST : ANY,
    apply: () => pageOf(bucket.objects(), { prefix, after, most }),
    garble: (page, kind) => {
      if (kind !== 'stale-list') return page
      const before = bucket.objectsBefore(life.decisions.choose('stale by', STALEST_CHANGES))
      return pageOf(before, { prefix, after, most })
    },
  }
}

/** Copies a body, so that changes to the caller's array don't change the request. */
function sentBytes(body: unknown): Uint8Array {
  if (body instanceof Uint8Array) return body.slice()
  throw new Violation('a body nobody expected')
}

function conditionOf(input: {
  IfNoneMatch?: string | undefined
  IfMatch?: string | undefined
}): WriteCondition | undefined {
  const { IfNoneMatch, IfMatch } = input
  if (IfNoneMatch === undefined && IfMatch === undefined) return undefined
  return { ifAbsent: IfNoneMatch === '*', ...(IfMatch !== undefined && { ifMatch: bare(IfMatch) }) }
}

function quoted(etag: string): string {
  return `"${etag}"`
}

/** S3 takes ETags with and without their quotes. */
function bare(etag: string): string {
  return etag.startsWith('"') ? etag.slice(1, -1) : etag
}
