import { ClosedError, InvalidArgumentError, isUint8Array } from '@firn/env'
import { assertRange } from './byte-range.js'
import { assertKey, assertKeyPrefix } from './object-key.js'
import type {
  CallOptions,
  GetOptions,
  ListOptions,
  ObjectInfo,
  ObjectStore,
  PutOptions,
  StoredObject,
  Upload,
  UploadOptions,
} from './object-store.js'
import { UploadSession, type UploadSink } from './upload-session.js'

const NOTHING: Readonly<Record<string, never>> = Object.freeze({})

/**
 * Base class of stores. Checks keys, ranges, conditions, aborted signals, use after `close`, and
 * the order of calls on an upload. A store extends it and implements the methods that begin with
 * `_`. They are only called with valid arguments and a signal that isn't aborted yet, and must
 * check the signal again wherever they wait.
 */
export abstract class BaseObjectStore implements ObjectStore {
  readonly #uploads = new Set<UploadSession>()
  #closing: Promise<void> | undefined

  /** See `ObjectStore.get`. */
  protected abstract _get(key: string, options: GetOptions): Promise<StoredObject>
  /** See `ObjectStore.head`. */
  protected abstract _head(key: string, options: CallOptions): Promise<ObjectInfo | undefined>
  /** See `ObjectStore.put`. At most one condition is set. */
  protected abstract _put(
    key: string,
    bytes: Uint8Array,
    options: PutOptions,
  ): Promise<{ etag: string }>
  /** See `ObjectStore.delete`. There is at least one key, and no key appears twice. */
  protected abstract _delete(keys: readonly string[], options: CallOptions): Promise<void>
  /** See `ObjectStore.list`. `limit` is absent or at least 1. */
  protected abstract _list(options: ListOptions): AsyncIterable<ObjectInfo>
  /** Starts an upload. This class calls the sink; see `UploadSink`. */
  protected abstract _upload(key: string, options: UploadOptions): Promise<UploadSink>
  /** Called once, after all open uploads have been aborted. */
  protected abstract _close(): Promise<void>

  // Not `async`, so that the promise of a store that answers at once is passed on, not wrapped.
  get(key: string, options: GetOptions = NOTHING): Promise<StoredObject> {
    try {
      this.#assertUsable()
      assertKey(key)
      if (options.range !== undefined) assertRange(options.range)
      if (options.ifMatch !== undefined) assertEtag(options.ifMatch)
      options.signal?.throwIfAborted()
      return this._get(key, options)
    } catch (error) {
      return Promise.reject(error)
    }
  }

  async head(key: string, options: CallOptions = NOTHING): Promise<ObjectInfo | undefined> {
    this.#assertUsable()
    assertKey(key)
    options.signal?.throwIfAborted()
    return this._head(key, options)
  }

  async put(
    key: string,
    bytes: Uint8Array,
    options: PutOptions = NOTHING,
  ): Promise<{ etag: string }> {
    this.#assertUsable()
    assertKey(key)
    if (!isUint8Array(bytes)) throw new InvalidArgumentError('put takes a Uint8Array')
    if (options.ifMatch !== undefined) {
      assertEtag(options.ifMatch)
      if (options.ifAbsent === true) {
        throw new InvalidArgumentError('ifAbsent and ifMatch contradict each other; pass only one')
      }
    }
    options.signal?.throwIfAborted()
    return this._put(key, bytes, options)
  }

  async delete(keys: string | readonly string[], options: CallOptions = NOTHING): Promise<void> {
    this.#assertUsable()
    const all = typeof keys === 'string' ? [keys] : keys
    if (!Array.isArray(all)) throw new InvalidArgumentError('delete takes a key or keys')
    for (const key of all) assertKey(key)
    options.signal?.throwIfAborted()
    if (all.length > 0) await this._delete([...new Set(all)], options)
  }

  async *list(options: ListOptions = NOTHING): AsyncGenerator<ObjectInfo, void, undefined> {
    this.#assertUsable()
    if (options.prefix !== undefined) assertKeyPrefix(options.prefix, 'prefix')
    if (options.startAfter !== undefined) assertKeyPrefix(options.startAfter, 'startAfter')
    const { limit } = options
    if (limit !== undefined && (!Number.isSafeInteger(limit) || limit < 0)) {
      throw new InvalidArgumentError(`limit must be an integer from 0, got ${String(limit)}`)
    }
    options.signal?.throwIfAborted()
    if (limit === 0) return
    for await (const info of this._list(options)) {
      options.signal?.throwIfAborted()
      this.#assertUsable()
      yield info
    }
  }

  async upload(key: string, options: UploadOptions = NOTHING): Promise<Upload> {
    this.#assertUsable()
    assertKey(key)
    options.signal?.throwIfAborted()
    const sink = await this._upload(key, options)
    const session = new UploadSession(sink, options.signal, (ended) => this.#uploads.delete(ended))
    this.#uploads.add(session)
    if (this.#closing !== undefined) await session.abort()
    return session
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    await Promise.all([...this.#uploads].map((upload) => upload.abort().catch(() => {})))
    await this._close()
  }

  #assertUsable(): void {
    if (this.#closing !== undefined) {
      throw new ClosedError('the object store is closed; open another one')
    }
  }
}

function assertEtag(etag: string): void {
  if (typeof etag !== 'string' || etag === '') {
    throw new InvalidArgumentError('ifMatch must be an etag that a store returned')
  }
}
