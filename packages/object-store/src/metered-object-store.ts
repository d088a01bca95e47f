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

/** What is counted apart. The `upload…` kinds are the requests a multipart upload makes. */
export type RequestKind =
  | 'get'
  | 'head'
  | 'put'
  | 'delete'
  | 'list'
  | 'uploadStart'
  | 'uploadWrite'
  | 'uploadFinish'
  | 'uploadAbort'

export interface RequestCounts {
  requests: number
  /** Requests that rejected, whatever the reason; a missing object and a lost race count too. */
  errors: number
}

export interface RequestMeter {
  /** Requests by kind. A list counts once per 1,000 objects it yields, and at least once. */
  readonly kinds: Readonly<Record<RequestKind, Readonly<RequestCounts>>>
  /** Requests of all kinds. */
  readonly requests: number
  /** Errors of all kinds. */
  readonly errors: number
  /** Bytes of objects that were read. */
  readonly bytesRead: number
  /** Bytes of objects that were sent, those of failed writes included. */
  readonly bytesWritten: number
  /** Keys that `delete` was asked to delete. */
  readonly keysDeleted: number
}

// S3 and its relatives list at most this many objects with one request.
const LIST_PAGE = 1000

/**
 * Counts what goes through to another store, so that every request can be named and priced. Wrap it
 * directly around the store that makes the requests: retries above it count as what they are.
 */
export class MeteredObjectStore implements ObjectStore {
  readonly #store: ObjectStore
  #counts: Record<RequestKind, RequestCounts> = noCounts()
  #bytesRead = 0
  #bytesWritten = 0
  #keysDeleted = 0

  constructor(store: ObjectStore) {
    this.#store = store
  }

  /** The counts so far; a copy that doesn't change. */
  snapshot(): RequestMeter {
    const kinds = noCounts()
    let requests = 0
    let errors = 0
    for (const [kind, counts] of Object.entries(this.#counts) as [RequestKind, RequestCounts][]) {
      kinds[kind] = { ...counts }
      requests += counts.requests
      errors += counts.errors
    }
    return {
      kinds,
      requests,
      errors,
      bytesRead: this.#bytesRead,
      bytesWritten: this.#bytesWritten,
      keysDeleted: this.#keysDeleted,
    }
  }

  /** Returns the counts so far and starts again at zero. */
  reset(): RequestMeter {
    const counted = this.snapshot()
    this.#counts = noCounts()
    this.#bytesRead = 0
    this.#bytesWritten = 0
    this.#keysDeleted = 0
    return counted
  }

  async get(key: string, options?: GetOptions): Promise<StoredObject> {
    const object = await this.#count('get', () => this.#store.get(key, options))
    this.#bytesRead += object.bytes.length
    return object
  }

  head(key: string, options?: CallOptions): Promise<ObjectInfo | undefined> {
    return this.#count('head', () => this.#store.head(key, options))
  }

  put(key: string, bytes: Uint8Array, options?: PutOptions): Promise<{ etag: string }> {
    this.#bytesWritten += bytes.length
    return this.#count('put', () => this.#store.put(key, bytes, options))
  }

  delete(keys: string | readonly string[], options?: CallOptions): Promise<void> {
    this.#keysDeleted += Array.isArray(keys) ? keys.length : 1
    return this.#count('delete', () => this.#store.delete(keys, options))
  }

  async *list(options?: ListOptions): AsyncGenerator<ObjectInfo, void, undefined> {
    const counts = this.#counts.list
    counts.requests++
    let listed = 0
    try {
      for await (const info of this.#store.list(options)) {
        if (listed > 0 && listed % LIST_PAGE === 0) counts.requests++
        listed++
        yield info
      }
    } catch (error) {
      counts.errors++
      throw error
    }
  }

  async upload(key: string, options?: UploadOptions): Promise<Upload> {
    const upload = await this.#count('uploadStart', () => this.#store.upload(key, options))
    return {
      write: (bytes) => {
        this.#bytesWritten += bytes.length
        return this.#count('uploadWrite', () => upload.write(bytes))
      },
      finish: () => this.#count('uploadFinish', () => upload.finish()),
      abort: () => this.#count('uploadAbort', () => upload.abort()),
    }
  }

  close(): Promise<void> {
    return this.#store.close()
  }

  async #count<T>(kind: RequestKind, call: () => Promise<T>): Promise<T> {
    // Kept, so that an error after a reset is booked where its request was.
    const counts = this.#counts[kind]
    counts.requests++
    try {
      return await call()
    } catch (error) {
      counts.errors++
      throw error
    }
  }
}

function noCounts(): Record<RequestKind, RequestCounts> {
  const none = (): RequestCounts => ({ requests: 0, errors: 0 })
  return {
    get: none(),
    head: none(),
    put: none(),
    delete: none(),
    list: none(),
    uploadStart: none(),
    uploadWrite: none(),
    uploadFinish: none(),
    uploadAbort: none(),
  }
}
