import { equalRanges } from '@firn/bytes'
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
  resolveRange,
  type StoredObject,
  type UploadOptions,
  type UploadSink,
} from '@firn/object-store'
import type { Bucket, BucketObject } from './bucket.js'
import { truncated, withFlippedBit } from './damage.js'
import type { FaultKind } from './faults.js'
import type { Exchange, Network } from './network.js'
import type { Life } from './sim-process.js'
import { SimUpload } from './sim-upload.js'

const ANY: readonly FaultKind[] = ['fail-before', 'lost-reply', 'throttled', 'slow']
const WEAK_LIST: readonly FaultKind[] = [...ANY, 'stale-list']
const READ: readonly FaultKind[] = [...ANY, 'truncated', 'flipped', 'wrong-object']
const WRITE: readonly FaultKind[] = [...ANY, 'late-apply', 'applied-twice']
const DELETE: readonly FaultKind[] = [...WRITE, 'very-late']
const CONDITIONAL: readonly FaultKind[] = [...WRITE, 'own-refusal', 'conflict']

/** How many changes a stale list lacks at most. */
const STALEST_CHANGES = 60

export interface SimObjectStoreOptions {
  /** Whose requests these are. */
  life: Life
  bucket: Bucket
  network: Network
  /** Keys in one reply to a list. */
  pageKeys: number
  /** Whether lists may be stale, as S3's never are. */
  listsMayBeStale?: boolean
  /** Uploads of more bytes than this are sent in parts. Default: none is. */
  partBytes?: number
}

/** A process's way to a bucket: what `S3ObjectStore` is to S3. */
export class SimObjectStore extends BaseObjectStore {
  readonly #options: SimObjectStoreOptions

  constructor(options: SimObjectStoreOptions) {
    super()
    this.#options = options
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
      faults: DELETE,
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
    const { bucket, life, listsMayBeStale = false } = this.#options
    const { prefix = '', signal } = options
    const pageOf = (objects: Iterable<readonly [string, BucketObject]>): ObjectInfo[] => {
      const page: ObjectInfo[] = []
      for (const [key, { bytes, etag }] of objects) {
        if (page.length === count) break
        if (key <= startAfter || !key.startsWith(prefix)) continue
        page.push({ key, size: bytes.length, etag })
      }
      return page
    }
    return this.#send({
      what: `list ${prefix} after ${startAfter}`,
      faults: listsMayBeStale ? WEAK_LIST : ANY,
      signal,
      apply: () => pageOf(bucket.objects()),
      garble: (page, kind) =>
        kind === 'stale-list'
          ? pageOf(bucket.objectsBefore(life.decisions.choose('stale by', STALEST_CHANGES)))
          : page,
    })
  }

  protected override async _upload(key: string, options: UploadOptions): Promise<UploadSink> {
    const { bucket, life, partBytes = Number.POSITIVE_INFINITY } = this.#options
    const signal = options.signal
    return new SimUpload({
      env: life.env,
      partBytes,
      requests: {
        create: () =>
          this.#send({
            what: `begin-upload ${key}`,
            faults: WRITE,
            apply: () => bucket.beginUpload(key),
          }),
        part: (id, number, bytes) =>
          this.#send({
            what: `send-part ${number} of ${key} (${bytes.length} bytes)`,
            faults: WRITE,
            signal,
            apply: () => bucket.putPart(id, number, bytes),
          }),
        complete: (id) =>
          this.#send({
            what: `complete-upload ${key}`,
            faults: options.ifAbsent === true ? CONDITIONAL : WRITE,
            signal,
            apply: () => bucket.completeUpload(id, options),
          }),
        abort: (id) =>
          this.#send({
            what: `abort-upload ${key}`,
            faults: DELETE,
            apply: () => bucket.abortUpload(id),
          }),
        put: async (bytes) => (await this._put(key, bytes, options)).etag,
        head: async () => (await this._head(key, options))?.etag,
      },
      isOwn: (bytes) => {
        const found = bucket.find(key)?.bytes
        return found !== undefined && equalRanges(found, 0, found.length, bytes, 0, bytes.length)
      },
    })
  }

  protected override async _close(): Promise<void> {}

  #send<T>(exchange: Omit<Exchange<T>, 'failure'>): Promise<T> {
    const { network, life } = this.#options
    return network.send(life, { ...exchange, failure: failureOf })
  }

  #garbled(object: StoredObject, kind: FaultKind): StoredObject {
    const { bytes } = object
    const { decisions } = this.#options.life
    if (bytes.length === 0) return object
    switch (kind) {
      case 'truncated':
        return { ...object, bytes: truncated(bytes, decisions) }
      case 'flipped':
        return { ...object, bytes: withFlippedBit(bytes, decisions) }
      case 'wrong-object':
        return { ...object, bytes: this.#otherBytes(object) }
      default:
        return object
    }
  }

  /** The same range of another object. */
  #otherBytes({ key, bytes, offset }: StoredObject): Uint8Array {
    const { bucket, life } = this.#options
    const keys = bucket.keys()
    const other = keys[life.decisions.choose('wrong object', keys.length)]
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
