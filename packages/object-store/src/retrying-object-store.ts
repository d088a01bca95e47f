import {
  type Env,
  InvalidArgumentError,
  isFirnError,
  linkedController,
  Retries,
  systemEnv,
} from '@firn/env'
import { ObjectStoreError } from './errors.js'
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

export interface RetryOptions {
  env?: Env
  /** Most attempts of one call, including the first. Default 6. */
  attempts?: number
  /** Longest pause before the first retry; it doubles with each further retry. Default 50 ms. */
  baseDelayMs?: number
  /** Longest pause before any retry. Default 5,000 ms. */
  maxDelayMs?: number
  /**
   * Retry budget of all calls together: a retry takes 1 from it, and a successful call returns 0.2.
   * If a store is down or throttles, the budget runs out and retries stop, instead of multiplying
   * the load. Default 100.
   */
  retryBudget?: number
  /** Timeout of one attempt. Default: none. */
  attemptTimeoutMs?: number
}

/**
 * Retries calls that failed with a retryable error, with exponential backoff and full jitter (a
 * pause is uniform between zero and its bound), a limited number of attempts, and one retry budget
 * for all calls.
 *
 * **Conditional puts.** A failed attempt may have been applied. The retry then meets its own
 * object, and its condition no longer holds. So after a retry, a failed condition is settled by
 * reading the object:
 * - It has the bytes of this call: the put succeeded, unless another writer wrote the very same
 *   bytes. If that matters, put a token into the content, as Firn does.
 * - It has other bytes, after `ifAbsent`: another writer was first, and `PreconditionFailedError`
 *   is thrown. (This would be wrong for an object that is overwritten within a retry after it was
 *   created conditionally. Use `ifMatch` alone for such objects once they exist.)
 * - It has other bytes, after `ifMatch`: this put may have come first and been replaced since. That
 *   can't be known, so an error that isn't retryable says that the outcome is unclear.
 *
 * If an attempt of a conditional put may have been done, and a later one fails but certainly wasn't
 * done, the put also fails as unclear: `maybeDone` is true.
 *
 * **Uploads** are retried only at their start, because written bytes aren't kept.
 * **Commits** to a log don't belong here: a log has its own retries.
 */
export class RetryingObjectStore implements ObjectStore {
  readonly #store: ObjectStore
  readonly #env: Env
  readonly #retries: Retries
  readonly #attemptTimeoutMs: number | undefined

  constructor(store: ObjectStore, options: RetryOptions = {}) {
    this.#store = store
    this.#env = options.env ?? systemEnv
    this.#retries = new Retries({
      env: this.#env,
      attempts: atLeast(1, 'attempts', options.attempts ?? 6),
      baseDelayMs: atLeast(0, 'baseDelayMs', options.baseDelayMs ?? 50),
      maxDelayMs: atLeast(0, 'maxDelayMs', options.maxDelayMs ?? 5000),
      budget: atLeast(0, 'retryBudget', options.retryBudget ?? 100),
    })
    this.#attemptTimeoutMs = options.attemptTimeoutMs
  }

  get(key: string, options: GetOptions = {}): Promise<StoredObject> {
    return this.#retry(options.signal, (signal) => this.#store.get(key, { ...options, signal }))
  }

  head(key: string, options: CallOptions = {}): Promise<ObjectInfo | undefined> {
    return this.#retry(options.signal, (signal) => this.#store.head(key, { ...options, signal }))
  }

  async put(key: string, bytes: Uint8Array, options: PutOptions = {}): Promise<{ etag: string }> {
    let unclear: unknown
    try {
      return await this.#retry(
        options.signal,
        (signal) => this.#store.put(key, bytes, { ...options, signal }),
        (error) => {
          if (!isFirnError(error) || error.maybeDone !== false) unclear = error
        },
      )
    } catch (error) {
      if (unclear === undefined || error === options.signal?.reason) throw error
      if (!isFirnError(error, 'FIRN_PRECONDITION_FAILED')) {
        const isConditional = options.ifAbsent === true || options.ifMatch !== undefined
        if (isConditional && isFirnError(error) && error.maybeDone === false) {
          throw unclearPut(key, `the next one failed (${error.message})`, unclear, error)
        }
        throw error
      }
      return this.#settle(key, bytes, options, error, unclear)
    }
  }

  delete(keys: string | readonly string[], options: CallOptions = {}): Promise<void> {
    return this.#retry(options.signal, (signal) => this.#store.delete(keys, { ...options, signal }))
  }

  /** After a failure, goes on after the last key. Each key resets the number of attempts. */
  async *list(options: ListOptions = {}): AsyncGenerator<ObjectInfo, void, undefined> {
    let { startAfter, limit } = options
    for (let attempt = 1; ; attempt++) {
      try {
        for await (const info of this.#store.list({ ...options, startAfter, limit })) {
          startAfter = info.key
          if (limit !== undefined) limit--
          attempt = 1
          yield info
        }
        this.#retries.succeeded()
        return
      } catch (error) {
        if (limit === 0 && options.limit !== 0) return
        await this.#retries.pauseOrThrow(error, attempt, options.signal)
      }
    }
  }

  upload(key: string, options: UploadOptions = {}): Promise<Upload> {
    // An upload must not get the signal of an attempt, because it outlives the attempt.
    return this.#retry(undefined, () => this.#store.upload(key, options))
  }

  close(): Promise<void> {
    return this.#store.close()
  }

  #retry<T>(
    signal: AbortSignal | undefined,
    call: (signal: AbortSignal | undefined) => Promise<T>,
    onRetry?: (error: unknown) => void,
  ): Promise<T> {
    return this.#retries.run(signal, () => this.#attempt(signal, call), onRetry)
  }

  async #attempt<T>(
    signal: AbortSignal | undefined,
    call: (signal: AbortSignal | undefined) => Promise<T>,
  ): Promise<T> {
    const timeoutMs = this.#attemptTimeoutMs
    if (timeoutMs === undefined) return call(signal)
    const { controller: attempt, end } = linkedController(signal)
    const answered = new AbortController()
    const timer = this.#env.sleep(timeoutMs, answered.signal).then(
      () => {
        const timedOut = new ObjectStoreError(
          `the object store didn't answer within ${timeoutMs} ms; whether it did the request is unknown`,
          { reason: 'timeout', retryable: true },
        )
        attempt.abort(timedOut)
        throw timedOut
      },
      () => new Promise<never>(() => {}),
    )
    try {
      return await Promise.race([call(attempt.signal), timer])
    } finally {
      end()
      // Without a reason, Node.js would create an error with a stack for every request.
      answered.abort('answered')
    }
  }

  async #settle(
    key: string,
    bytes: Uint8Array,
    options: PutOptions,
    refusal: unknown,
    unclear: unknown,
  ): Promise<{ etag: string }> {
    let found: StoredObject | undefined
    try {
      found = await this.get(key, { signal: options.signal, urgent: options.urgent })
    } catch (error) {
      if (!isFirnError(error, 'FIRN_OBJECT_NOT_FOUND')) throw error
    }
    if (found !== undefined && equal(found.bytes, bytes)) return { etag: found.etag }
    if (options.ifAbsent === true && found !== undefined) throw refusal
    throw unclearPut(key, 'the object has changed since; read it and decide anew', unclear, unclear)
  }
}

function unclearPut(key: string, then: string, unclear: unknown, cause: unknown): ObjectStoreError {
  return new ObjectStoreError(
    `it is unknown whether the conditional put of object '${key}' was done: an attempt ended ` +
      `without an answer, and ${then}`,
    { reason: unclear instanceof ObjectStoreError ? unclear.reason : 'unavailable', cause },
  )
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false
  return true
}

function atLeast(least: number, name: string, value: number): number {
  if (!(value >= least))
    throw new InvalidArgumentError(`${name} must be at least ${least}, got ${value}`)
  return value
}
