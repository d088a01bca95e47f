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

/** The metadata that tells an object of this upload from one that another made of the same key. */
const TOKEN = 'firn-upload'

export interface UploadTarget {
  /** The key as the caller knows it, and as S3 does. */
  key: string
  fullKey: string
  ifAbsent: boolean
  /** What is set on every object: its encryption. */
  objectOptions: Pick<CreateMultipartUploadCommandInput, 'ServerSideEncryption' | 'SSEKMSKeyId'>
}

/**
 * The requests of one upload: `put`, or `create`, `part`s and `complete`, or `abort`. Each is
 * repeated where that may help, and all but the one that makes the object can be repeated as they
 * are: a part replaces itself.
 *
 * That one is unclear when its reply is lost, or when it arrives twice: the condition no longer
 * holds then, and the multipart upload is gone, whoever made the object that is there. So an upload
 * puts a token into the metadata of its object, and looks for it.
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

  /** Makes the object with one request; returns its ETag. */
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
   * Begins to make it of parts. Not to be stopped on the way, as nobody would know the name of what
   * is to be aborted; no further attempt is made once the signal has aborted.
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

  /** Sends a part; `onRetry` hears of each failure that is not the end. */
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

  /** Makes the object of all parts, in their order; returns its ETag. */
  async complete(parts: CompletedPart[], signal: AbortSignal): Promise<string> {
    const { key, ifAbsent } = this.#target
    // Ceph's gateway ignores the condition. This look leaves a gap, but nothing better is left.
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

  /** Gives up the parts. None may be under way. */
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

  /** Does what makes the object, and settles whether it did. */
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
      // In Ceph's gateway's answer to a completion it is empty.
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
        'answer, and the object is another one, or gone; start the upload again',
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
