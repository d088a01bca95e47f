import {
  AbortMultipartUploadCommand,
  type CompletedPart,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  type CreateMultipartUploadCommandInput,
  HeadObjectCommand,
  type HeadObjectCommandOutput,
  PutObjectCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3'
import { type Env, isFirnError, type Retries, ulid } from '@firn/env'
import { PreconditionFailedError } from '@firn/object-store'
import { S3RequestError } from '../errors.js'
import { etagOf } from './etag.js'
import { badReply, statusOf } from './s3-errors.js'
import type { Call, S3Requests } from './s3-requests.js'

/** Metadata that distinguishes the object of this upload from another writer's of the same key. */
const TOKEN = 'firn-upload'

export interface UploadTarget {
  /** The caller's key; `fullKey` is the key in the bucket. */
  key: string
  fullKey: string
  ifAbsent: boolean
  /** Encryption of the object. */
  objectOptions: Pick<CreateMultipartUploadCommandInput, 'ServerSideEncryption' | 'SSEKMSKeyId'>
}

/**
 * The requests of one upload: `put`; or `create`, `part`s, and `complete` or `abort`. Each is
 * retried after a retryable failure. All but the one that creates the object are safe to repeat: a
 * part replaces itself.
 *
 * The outcome of that one is unclear if its reply is lost, or if it arrives twice. Its condition
 * then no longer holds, and the multipart upload is gone, no matter who created the object. So an
 * upload puts a token into the metadata of its object, and looks for it.
 */
export class UploadRequests {
  readonly #requests: S3Requests
  readonly #retries: Retries
  readonly #target: UploadTarget
  readonly #token: string
  #id = ''

  constructor(requests: S3Requests, retries: Retries, target: UploadTarget, env: Env) {
    this.#requests = requests
    this.#retries = retries
    this.#target = target
    this.#token = ulid(env)
  }

  /** Creates the object with one request; returns its ETag. */
  put(bytes: Uint8Array, signal: AbortSignal): Promise<string> {
    const command = new PutObjectCommand({
      ...this.#newObject(),
      ...this.#condition(),
      Body: bytes,
    })
    const call = { ...this.#making('put'), bytesSent: bytes.length, signal }
    return this.#make(signal, () =>
      this.#requests.run(call, (client, options) => client.send(command, options)),
    )
  }

  /**
   * Begins a multipart upload. A request under way isn't aborted, because without its answer the
   * upload's id is unknown and the upload can't be aborted. After the signal has aborted, no
   * further attempt is made.
   */
  async create(signal: AbortSignal): Promise<void> {
    const call = this.#call('create-multipart', 'beginning the upload of')
    const command = new CreateMultipartUploadCommand(this.#newObject())
    const { UploadId } = await this.#retries.run(signal, () =>
      this.#requests.run(call, (client, options) => client.send(command, options)),
    )
    if (UploadId === undefined || UploadId === '') throw badReply(call.doing, 'has no upload id')
    this.#id = UploadId
  }

  /** Sends a part. `onRetry` is called for each failure that is retried. */
  async part(
    number: number,
    bytes: Uint8Array,
    signal: AbortSignal,
    onRetry: (error: unknown) => void,
  ): Promise<CompletedPart> {
    const command = new UploadPartCommand({
      ...this.#names(),
      UploadId: this.#id,
      PartNumber: number,
      Body: bytes,
    })
    const doing = `sending part ${number} of`
    const call = { ...this.#call('upload-part', doing), bytesSent: bytes.length, signal }
    const send = () => this.#requests.run(call, (client, options) => client.send(command, options))
    const { ETag, ChecksumCRC32 } = await this.#retries.run(signal, send, onRetry)
    if (ETag === undefined) throw badReply(call.doing, 'has no ETag')
    return { PartNumber: number, ETag, ChecksumCRC32 }
  }

  /** Creates the object from all parts, in their order; returns its ETag. */
  async complete(parts: CompletedPart[], signal: AbortSignal): Promise<string> {
    const { key, ifAbsent } = this.#target
    // Ceph's gateway ignores the condition. This check leaves a gap, but there is no better way.
    if (ifAbsent && !(await this.#requests.isAws()) && (await this.#head(signal)) !== undefined) {
      throw new PreconditionFailedError(key, 'ifAbsent')
    }
    const command = new CompleteMultipartUploadCommand({
      ...this.#names(),
      ...this.#condition(),
      UploadId: this.#id,
      MultipartUpload: { Parts: parts },
    })
    const call = { ...this.#making('complete-multipart'), signal }
    return this.#make(signal, () =>
      this.#requests.run(call, (client, options) => client.send(command, options)),
    )
  }

  /** Aborts the multipart upload. No part may be under way. */
  async abort(): Promise<void> {
    const call = this.#call('abort-multipart', 'aborting the upload of')
    const command = new AbortMultipartUploadCommand({ ...this.#names(), UploadId: this.#id })
    try {
      await this.#retries.run(undefined, () =>
        this.#requests.run(call, (client, options) => client.send(command, options)),
      )
    } catch (error) {
      if (!isGone(error)) throw error
    }
  }

  /** Makes the request that creates the object, and finds out whether it did. */
  async #make(
    signal: AbortSignal,
    attempt: () => Promise<{ ETag?: string | undefined }>,
  ): Promise<string> {
    const { key, ifAbsent } = this.#target
    const doing = `writing object '${key}'`
    let cause: unknown
    try {
      const { ETag } = await this.#retries.run(signal, attempt, (error) => {
        cause = error
      })
      // When Ceph's gateway completes an upload, its answer has an empty ETag.
      if (ETag !== undefined && ETag !== '') return etagOf(ETag, doing)
    } catch (error) {
      if (!isGone(error) && !isFirnError(error, 'FIRN_PRECONDITION_FAILED')) throw error
      cause ??= error
    }
    const found = await this.#head(signal)
    if (found?.Metadata?.[TOKEN] === this.#token) return etagOf(found.ETag, doing)
    if (ifAbsent && found !== undefined)
      throw new PreconditionFailedError(key, 'ifAbsent', { cause })
    throw new S3RequestError(
      `it is unknown whether the upload of object '${key}' was done: an attempt ended without an ` +
        'answer, and the object is now another one, or gone; start the upload again',
      { reason: 'unavailable', cause },
    )
  }

  #head(signal: AbortSignal): Promise<HeadObjectCommandOutput | undefined> {
    const call = { ...this.#call('head', 'looking at'), signal }
    const command = new HeadObjectCommand(this.#names())
    return this.#retries.run(signal, () =>
      this.#requests.run(call, async (client, options) => {
        try {
          return await client.send(command, options)
        } catch (error) {
          if (statusOf(error) === 404) return undefined
          throw error
        }
      }),
    )
  }

  #names(): { Bucket: string; Key: string } {
    return { Bucket: this.#requests.bucket, Key: this.#target.fullKey }
  }

  #newObject(): CreateMultipartUploadCommandInput {
    const { objectOptions } = this.#target
    return { ...this.#names(), ...objectOptions, Metadata: { [TOKEN]: this.#token } }
  }

  #condition(): { IfNoneMatch?: string } {
    return this.#target.ifAbsent ? { IfNoneMatch: '*' } : {}
  }

  #call(kind: Call['kind'], doing: string): Call {
    const { key } = this.#target
    return { kind, doing: `${doing} object '${key}'`, key }
  }

  #making(kind: 'put' | 'complete-multipart'): Call {
    return {
      ...this.#call(kind, kind === 'put' ? 'writing' : 'completing the upload of'),
      condition: this.#target.ifAbsent ? 'ifAbsent' : undefined,
    }
  }
}

function isGone(error: unknown): boolean {
  return error instanceof S3RequestError && error.s3Code === 'NoSuchUpload'
}
