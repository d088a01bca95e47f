import { equalRanges } from '@firn/bytes'
import { isFirnError } from '@firn/env'
import {
  BaseObjectStore,
  type CallOptions,
  type GetOptions,
  type ListOptions,
  type ObjectInfo,
  ObjectStoreError,
  type ObjectStoreErrorReason,
  PreconditionFailedError,
  type PutOptions,
  RetryingObjectStore,
  resolveRange,
  type StoredObject,
  type UploadOptions,
  type UploadSink,
} from '@firn/object-store'
import type { Bucket } from './bucket.js'
import type { FaultKind } from './faults.js'
import type { Exchange, Network } from './network.js'
import type { Life } from './sim-process.js'

const ANY: readonly FaultKind[] = ['fail-before', 'lost-reply', 'throttled', 'slow']
const READ: readonly FaultKind[] = [...ANY, 'truncated', 'flipped', 'wrong-object']
const WRITE: readonly FaultKind[] = [...ANY, 'late-apply', 'applied-twice']
const CONDITIONAL: readonly FaultKind[] = [...WRITE, 'own-refusal', 'conflict']

export interface SimObjectStoreOptions {
  /** Whose requests these are. */
  life: Life
  bucket: Bucket
  network: Network
  /** Keys in one reply to a list. */
  pageKeys: number
}

/** A process's way to a bucket: what `S3ObjectStore` is to S3. */
export class SimObjectStore extends BaseObjectStore {
  readonly #options: SimObjectStoreOptions
  /** Uploads try again by themselves, and know their own object, as S3's do. */
  readonly #uploads: RetryingObjectStore

  constructor(options: SimObjectStoreOptions) {
    super()
    this.#options = options
    this.#uploads = new RetryingObjectStore(this, { env: options.life.env })
  }

  protected override _get(key: string, options: GetOptions): Promise<StoredObject> {
    const { bucket } = this.#options
    return this.#send<StoredObject>({
      what: `get ${key}`,
      faults: READ,
      signal: options.signal,
      apply: () => {
        const { bytes, etag } = bucket.get(key)
        if (options.ifMatch !== undefined && options.ifMatch !== etag) {
          throw new PreconditionFailedError(key, 'ifMatch')
        }
        const { start, end } = resolveRange(options.range, bytes.length)
        return { key, size: bytes.length, etag, bytes: bytes.slice(start, end), offset: start }
      },
      garble: (object, kind) => this.#garbled(object, kind),
    })
  }

  protected override _head(key: string, options: CallOptions): Promise<ObjectInfo | undefined> {
    const { bucket } = this.#options
    return this.#send({
      what: `head ${key}`,
      faults: ANY,
      signal: options.signal,
      apply: () => {
        const found = bucket.find(key)
        return found === undefined ? undefined : { key, size: found.bytes.length, etag: found.etag }
      },
    })
  }

  protected override _put(
    key: string,
    bytes: Uint8Array,
    options: PutOptions,
  ): Promise<{ etag: string }> {
    const { bucket } = this.#options
    const { ifAbsent, ifMatch, signal } = options
    // What is on its way doesn't change with the caller's array.
    const sent = bytes.slice()
    return this.#send({
      what: `put ${key} (${bytes.length} bytes)`,
      faults: ifAbsent === true || ifMatch !== undefined ? CONDITIONAL : WRITE,
      signal,
      apply: () => ({ etag: bucket.put(key, sent, { ifAbsent, ifMatch }) }),
    })
  }

  protected override _delete(keys: readonly string[], options: CallOptions): Promise<void> {
    const { bucket } = this.#options
    return this.#send({
      what: `delete ${keys.join(' ')}`,
      faults: WRITE,
      signal: options.signal,
      apply: () => {
        for (const key of keys) bucket.delete(key)
      },
    })
  }

  protected override async *_list(options: ListOptions): AsyncIterable<ObjectInfo> {
    const { pageKeys } = this.#options
    let { startAfter = '', limit = Number.POSITIVE_INFINITY } = options
    while (limit > 0) {
      const count = Math.min(limit, pageKeys)
      const page = await this.#page(options, startAfter, count)
      yield* page
      if (page.length < count) return
      startAfter = page.at(-1)?.key ?? startAfter
      limit -= page.length
    }
  }

  #page(options: ListOptions, startAfter: string, count: number): Promise<ObjectInfo[]> {
    const { bucket } = this.#options
    const { prefix = '', signal } = options
    return this.#send({
      what: `list ${prefix} after ${startAfter}`,
      faults: ANY,
      signal,
      apply: () => {
        const page: ObjectInfo[] = []
        for (const key of bucket.keys()) {
          if (page.length === count) break
          if (key <= startAfter || !key.startsWith(prefix)) continue
          const { bytes, etag } = bucket.get(key)
          page.push({ key, size: bytes.length, etag })
        }
        return page
      },
    })
  }

  /** As S3's does with what fits a part: one put, when all is there. */
  protected override async _upload(key: string, options: UploadOptions): Promise<UploadSink> {
    const chunks: Uint8Array[] = []
    return {
      write: async (bytes) => {
        chunks.push(bytes.slice())
      },
      finish: async () => {
        const size = chunks.reduce((sum, chunk) => sum + chunk.length, 0)
        const whole = new Uint8Array(size)
        let at = 0
        for (const chunk of chunks) {
          whole.set(chunk, at)
          at += chunk.length
        }
        return { etag: await this.#finish(key, whole, options), size }
      },
      abort: async () => {},
    }
  }

  protected override async _close(): Promise<void> {}

  /** Puts an upload's object, and knows it again where it is in its own way. */
  async #finish(key: string, bytes: Uint8Array, options: UploadOptions): Promise<string> {
    try {
      return (await this.#uploads.put(key, bytes, options)).etag
    } catch (error) {
      if (!isFirnError(error, 'FIRN_PRECONDITION_FAILED')) throw error
      const { bucket } = this.#options
      const found = bucket.find(key)
      if (
        found === undefined ||
        !equalRanges(found.bytes, 0, found.bytes.length, bytes, 0, bytes.length)
      )
        throw error
      return (await this.#uploads.head(key, options))?.etag ?? found.etag
    }
  }

  #send<T>(exchange: Omit<Exchange<T>, 'failure'>): Promise<T> {
    const { network, life } = this.#options
    return network.send(life, { ...exchange, failure: failureOf })
  }

  #garbled(object: StoredObject, kind: FaultKind): StoredObject {
    const { bytes } = object
    const { decisions } = this.#options.network.world
    if (bytes.length === 0) return object
    switch (kind) {
      case 'truncated':
        return { ...object, bytes: bytes.slice(0, decisions.choose('truncated at', bytes.length)) }
      case 'flipped': {
        const bit = decisions.choose('flipped bit', bytes.length * 8)
        const at = bit >>> 3
        const copy = bytes.slice()
        copy[at] = (copy[at] as number) ^ (1 << (bit & 7))
        return { ...object, bytes: copy }
      }
      case 'wrong-object':
        return { ...object, bytes: this.#otherBytes(object) }
      default:
        return object
    }
  }

  /** The same range of another object. */
  #otherBytes({ key, bytes, offset }: StoredObject): Uint8Array {
    const { bucket, network } = this.#options
    const keys = bucket.keys()
    const other = keys[network.world.decisions.choose('wrong object', keys.length)]
    if (other === undefined || other === key) return bytes
    return bucket.get(other).bytes.slice(offset, offset + bytes.length)
  }
}

const REASONS: Partial<Record<FaultKind, ObjectStoreErrorReason>> = { throttled: 'throttled' }

/** As `S3ObjectStore` says it. */
function failureOf(kind: FaultKind): ObjectStoreError {
  return new ObjectStoreError(`simulated fault: ${kind}`, {
    reason: REASONS[kind] ?? 'unavailable',
    retryable: true,
  })
}
