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

/** Kinds that are counted apart. The `upload…` kinds are the requests of a multipart upload. */
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
  /** Requests that rejected for any reason, including a missing object and a lost race. */
  errors: number
}

export interface RequestMeter {
  /** Requests by kind. A list counts once per 1,000 objects it yields, and at least once. */
  readonly kinds: Readonly<Record<RequestKind, Readonly<RequestCounts>>>
  /** Requests of all kinds. */
  readonly requests: number
  /** Errors of all kinds. */
  readonly errors: number
  /** Bytes of objects read. */
  readonly bytesRead: number
  /** Bytes of objects sent, including those of failed writes. */
  readonly bytesWritten: number
  /** Number of keys passed to `delete`. */
  readonly keysDeleted: number
}

// S3 and compatible services list at most this many objects with one request.
const LIST_PAGE = 1000

/**
 * Counts the requests to another store by kind, so that they can be priced. Wrap it directly around
 * the store that makes the requests, so that retries are counted as well.
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

  /** Returns a copy of the counts so far. */
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
    // Keep the object, so that an error after a reset counts where its request did.
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
