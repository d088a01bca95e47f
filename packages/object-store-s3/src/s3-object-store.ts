import {
  GetObjectCommand,
  type GetObjectCommandOutput,
  HeadObjectCommand,
  PutObjectCommand,
  type S3Client,
  type S3ClientConfig,
  type ServerSideEncryption,
} from '@aws-sdk/client-s3'
import { type Env, InvalidArgumentError, Retries, slotsOf, systemEnv } from '@firn/env'
import {
  assertKeyPrefix,
  BaseObjectStore,
  type CallOptions,
  type GetOptions,
  type ListOptions,
  MAX_KEY_BYTES,
  type ObjectInfo,
  ObjectNotFoundError,
  PreconditionFailedError,
  type PutOptions,
  resolveRange,
  type StoredObject,
  type UploadOptions,
  type UploadSink,
} from '@firn/object-store'
import { S3RequestError } from './errors.js'
import { etagOf } from './internal/etag.js'
import { ObjectDeletes } from './internal/object-deletes.js'
import { listObjects } from './internal/object-listing.js'
import { rangeHeader, readReply } from './internal/object-reply.js'
import { leastPartBytes, MAX_PART_BYTES } from './internal/part-size.js'
import { newClient } from './internal/s3-client.js'
import { badReply, statusOf } from './internal/s3-errors.js'
import { S3Requests } from './internal/s3-requests.js'
import { S3Upload } from './internal/s3-upload.js'
import { UploadRequests, type UploadTarget } from './internal/upload-requests.js'
import type { S3Request } from './s3-request.js'

export interface S3ObjectStoreOptions {
  bucket: string
  /**
   * Folder of the bucket in which the store is: 'some/folder'. Keys are relative to it. Default:
   * the whole bucket.
   */
  prefix?: string
  /**
   * An existing client, created with `maxAttempts: 1`. It stays open when the store closes. Set
   * `connections` if its HTTP handler doesn't have the SDK's limit of 50 sockets. Stores that share
   * a client share the limit.
   */
  client?: S3Client
  /**
   * Most requests under way at once, and most connections of the store's own client. Further
   * requests wait in the order of the calls, urgent ones first. Only their signal limits the wait.
   * Default 50.
   */
  connections?: number
  /**
   * Settings of the store's own client. The AWS SDK finds region, credentials and endpoint if they
   * aren't set here: AWS_REGION, AWS_PROFILE, AWS_ENDPOINT_URL_S3, the machine's role, ….
   */
  clientConfig?: S3ClientConfig
  /**
   * Whether the store's own client names the bucket in the path, and not in the host. Default: only
   * if the endpoint isn't AWS's. Set this if the endpoint is set in the shared configuration.
   */
  forcePathStyle?: boolean
  /** Encryption of objects. Default: the bucket's. */
  serverSideEncryption?: ServerSideEncryption
  /** The key for 'aws:kms' and 'aws:kms:dsse'. */
  sseKmsKeyId?: string
  /**
   * Size of a part of an upload, at least 5 MiB; parts grow after the first thousand. An object
   * that fits into one part takes one request. Default 8 MiB.
   */
  partBytes?: number
  /** Most parts of one upload under way at once. Default 4. */
  concurrency?: number
  /** Called once for each HTTP request, when it is over. Must not throw. */
  onRequest?: (request: S3Request) => void
  /** Clock and chance for the pauses between attempts of uploads. */
  env?: Env
}

/**
 * Objects in a bucket of S3 or a compatible service. A call makes one request (a `list` one per
 * thousand objects, a `delete` one per thousand keys) and no second attempt: wrap the store in a
 * `RetryingObjectStore` for retries. Uploads are the exception, because only they have the bytes:
 * their requests are retried with backoff, each up to five times.
 */
export class S3ObjectStore extends BaseObjectStore {
  readonly #requests: S3Requests
  readonly #deletes: ObjectDeletes
  /** For the requests of uploads: only an upload has the bytes of its parts still. */
  readonly #retries: Retries
  readonly #env: Env
  /** '' or ending in '/'. */
  readonly #folder: string
  readonly #objectOptions: UploadTarget['objectOptions']
  readonly #partBytes: number
  readonly #concurrency: number

  constructor(options: S3ObjectStoreOptions) {
    super()
    const { bucket, prefix = '', client, clientConfig, forcePathStyle, onRequest } = options
    if (typeof bucket !== 'string' || bucket === '') {
      throw new InvalidArgumentError('an S3 store needs the name of a bucket')
    }
    if (client !== undefined && (clientConfig !== undefined || forcePathStyle !== undefined)) {
      throw new InvalidArgumentError(
        "clientConfig and forcePathStyle are for the store's own client; leave them out with client",
      )
    }
    this.#folder = prefix === '' || prefix.endsWith('/') ? prefix : `${prefix}/`
    assertKeyPrefix(this.#folder, 'prefix')
    this.#env = options.env ?? systemEnv
    this.#partBytes = inBounds('partBytes', options.partBytes ?? 8 * 2 ** 20, {
      least: leastPartBytes(options),
      most: MAX_PART_BYTES,
    })
    this.#concurrency = inBounds('concurrency', options.concurrency ?? 4, { least: 1, most: 1000 })
    this.#objectOptions = {
      ...(options.serverSideEncryption !== undefined && {
        ServerSideEncryption: options.serverSideEncryption,
      }),
      ...(options.sseKmsKeyId !== undefined && { SSEKMSKeyId: options.sseKmsKeyId }),
    }
    const connections = inBounds('connections', options.connections ?? 50, {
      least: 1,
      most: 10_000,
    })
    const used = client ?? newClient(clientConfig ?? {}, forcePathStyle, connections)
    this.#requests = new S3Requests({
      bucket,
      client: used,
      ownsClient: client === undefined,
      slots: slotsOf(used, connections),
      onRequest,
    })
    this.#deletes = new ObjectDeletes(this.#requests)
    this.#retries = new Retries({ env: this.#env })
  }

  protected override async _get(key: string, options: GetOptions): Promise<StoredObject> {
    const { range, ifMatch, signal, urgent } = options
    const fullKey = this.#fullKey(key)
    // HTTP can't request an empty range.
    const asksForNone = range !== undefined && range.start >= 0 && range.end === range.start
    if (!asksForNone) {
      const found = await this.#requests.run(
        { kind: 'get', doing: `reading object '${key}'`, key, signal, urgent },
        async (client, how, request) => {
          const command = new GetObjectCommand({
            Bucket: this.#requests.bucket,
            Key: fullKey,
            ...(range !== undefined && { Range: rangeHeader(range) }),
            ...(ifMatch !== undefined && { IfMatch: ifMatch }),
          })
          let reply: GetObjectCommandOutput
          try {
            reply = await client.send(command, how)
          } catch (error) {
            if (statusOf(error) === 416 && range !== undefined) return undefined
            throw error
          }
          const object = await readReply(key, reply, range, ifMatch)
          request.bytesReceived = object.bytes.length
          return object
        },
      )
      if (found !== undefined) return found
    }
    return this.#emptyRange(key, options)
  }

  /** Reads an empty range: finds the object's size and ETag, which a 416 answer lacks. */
  async #emptyRange(key: string, options: GetOptions): Promise<StoredObject> {
    const { range, ifMatch, signal, urgent } = options
    const info = await this._head(key, { signal, urgent })
    if (info === undefined) throw new ObjectNotFoundError(key)
    if (ifMatch !== undefined && ifMatch !== info.etag) {
      throw new PreconditionFailedError(key, 'ifMatch')
    }
    const { start, end } = resolveRange(range, info.size)
    if (end !== start)
      throw badReply(`reading object '${key}'`, 'refuses a range within the object')
    return { ...info, bytes: new Uint8Array(0), offset: start }
  }

  protected override _head(
    key: string,
    { signal, urgent }: CallOptions,
  ): Promise<ObjectInfo | undefined> {
    const doing = `looking at object '${key}'`
    const command = new HeadObjectCommand(this.#names(key))
    return this.#requests.run({ kind: 'head', doing, key, signal, urgent }, async (client, how) => {
      try {
        const { ContentLength: size, ETag } = await client.send(command, how)
        if (size === undefined) throw badReply(doing, 'has no length')
        return { key, size, etag: etagOf(ETag, doing) }
      } catch (error) {
        // Without a body, the answer doesn't distinguish a missing bucket from a missing object.
        if (statusOf(error) === 404) return undefined
        throw error
      }
    })
  }

  protected override async _put(
    key: string,
    bytes: Uint8Array,
    options: PutOptions,
  ): Promise<{ etag: string }> {
    try {
      return await this.#putOnce(key, bytes, options)
    } catch (error) {
      // Ceph's gateway answers this when a replacement lost its race.
      const lost = error instanceof S3RequestError && error.s3Code === 'UnknownError'
      if (!lost || options.ifMatch === undefined) throw error
      const { signal, urgent } = options
      const found = await this._head(key, { signal, urgent })
      if (found?.etag === options.ifMatch) throw error
      throw new PreconditionFailedError(key, 'ifMatch', { cause: error })
    }
  }

  #putOnce(
    key: string,
    bytes: Uint8Array,
    { ifAbsent, ifMatch, signal, urgent }: PutOptions,
  ): Promise<{ etag: string }> {
    const doing = `writing object '${key}'`
    const condition = ifAbsent === true ? 'ifAbsent' : ifMatch === undefined ? undefined : 'ifMatch'
    const command = new PutObjectCommand({
      ...this.#names(key),
      ...this.#objectOptions,
      Body: bytes,
      ...(ifAbsent === true && { IfNoneMatch: '*' }),
      ...(ifMatch !== undefined && { IfMatch: ifMatch }),
    })
    return this.#requests.run(
      { kind: 'put', doing, key, condition, signal, urgent, bytesSent: bytes.length },
      async (client, how) => ({ etag: etagOf((await client.send(command, how)).ETag, doing) }),
    )
  }

  protected override _delete(keys: readonly string[], { signal }: CallOptions): Promise<void> {
    const fullKeys = keys.map((key) => this.#fullKey(key))
    return this.#deletes.delete(fullKeys, signal)
  }

  protected override _list(options: ListOptions): AsyncIterable<ObjectInfo> {
    return listObjects(this.#requests, this.#folder, options)
  }

  protected override async _upload(key: string, options: UploadOptions): Promise<UploadSink> {
    const target: UploadTarget = {
      key,
      fullKey: this.#fullKey(key),
      ifAbsent: options.ifAbsent === true,
      objectOptions: this.#objectOptions,
    }
    const requests = new UploadRequests(this.#requests, this.#retries, target, this.#env)
    return new S3Upload(requests, {
      partBytes: this.#partBytes,
      concurrency: this.#concurrency,
      signal: options.signal,
    })
  }

  protected override async _close(): Promise<void> {
    this.#requests.close()
  }

  #names(key: string): { Bucket: string; Key: string } {
    return { Bucket: this.#requests.bucket, Key: this.#fullKey(key) }
  }

  #fullKey(key: string): string {
    const full = this.#folder + key
    if (full.length <= MAX_KEY_BYTES) return full
    throw new InvalidArgumentError(
      `an object key of ${key.length} bytes is too long: S3 takes ${MAX_KEY_BYTES} bytes, including ` +
        `the ${this.#folder.length} of the store's prefix`,
    )
  }
}

function inBounds(
  name: string,
  value: number,
  { least, most }: { least: number; most: number },
): number {
  if (Number.isSafeInteger(value) && value >= least && value <= most) return value
  throw new InvalidArgumentError(
    `${name} must be an integer from ${least} to ${most}, got ${value}`,
  )
}
