import { InvalidArgumentError, isFirnError } from '@firn/env'
import { BaseObjectStore } from '../../base-object-store.js'
import { resolveRange } from '../../byte-range.js'
import {
  ObjectNotFoundError,
  ObjectStoreError,
  type ObjectStoreErrorReason,
  PreconditionFailedError,
  ReadOnlyStoreError,
  UnsupportedOperationError,
} from '../../errors.js'
import type {
  ByteRange,
  CallOptions,
  GetOptions,
  ObjectInfo,
  StoredObject,
} from '../../object-store.js'
import type { UploadSink } from '../../upload-session.js'
import { formatRange, parseContentLength, parseContentRange } from './content-range.js'
import { badReply, discardBody, readBody } from './http-body.js'

/** The part of `fetch` that the store needs. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>

export interface HttpObjectStoreOptions {
  /** Default: the global `fetch`. */
  fetch?: Fetch
  /** Headers for every request, for example for authorization. */
  headers?: Readonly<Record<string, string>>
}

/**
 * Reads objects from any HTTP server that answers range requests. The URL of an object is
 * `<base URL>/<key>`, with each segment percent-encoded, and the base URL's query. Writes throw
 * `ReadOnlyStoreError`, `list` throws `UnsupportedOperationError`.
 *
 * 1. A range is requested with `Range`, and `ifMatch` is sent as `If-Match`. The reply's
 *    Content-Range, length and ETag are checked.
 * 2. A server that ignores `Range` sends the whole object (200). The store cuts out the range, and
 *    doesn't wait for the rest.
 * 3. Without an ETag, Last-Modified and size serve as the etag. A server that sends neither must
 *    not serve objects that change.
 */
export class HttpObjectStore extends BaseObjectStore {
  readonly #base: string
  readonly #query: string
  readonly #fetch: Fetch
  readonly #headers: Readonly<Record<string, string>>

  constructor(baseUrl: string | URL, options: HttpObjectStoreOptions = {}) {
    super()
    const url = parseBase(baseUrl)
    // `fetch` refuses URLs with credentials, and error messages must not show them.
    const authorization: Record<string, string> =
      url.username === '' && url.password === '' ? {} : { authorization: basic(url) }
    // The lookbehind keeps this linear in the number of slashes.
    this.#base = `${url.origin}${url.pathname.replace(/(?<!\/)\/+$/, '')}`
    this.#query = url.search
    this.#fetch = options.fetch ?? ((target, init) => fetch(target, init))
    // In compressed replies, ranges and lengths would have another meaning.
    this.#headers = { 'accept-encoding': 'identity', ...authorization, ...options.headers }
  }

  protected override async _get(key: string, options: GetOptions): Promise<StoredObject> {
    const { range, ifMatch, signal } = options
    if (range !== undefined && range.end !== undefined && range.start >= 0) {
      // HTTP can't request an empty range.
      if (range.end === range.start) return this.#emptyRange(key, range, ifMatch, signal)
    }
    const headers: Record<string, string> = {}
    if (range !== undefined) headers.range = formatRange(range.start, range.end)
    if (ifMatch?.startsWith('"') === true) headers['if-match'] = ifMatch
    const response = await this.#send(key, 'GET', headers, signal)
    try {
      if (response.status === 416 && range !== undefined) {
        await discardBody(response)
        return await this.#emptyRange(key, range, ifMatch, signal)
      }
      await this.#assertAnswered(key, response)
      if (response.status === 206) return await this.#partial(key, response, range, ifMatch)
      return await this.#whole(key, response, range, ifMatch)
    } catch (error) {
      await discardBody(response)
      throw this.#typed(key, error, signal)
    }
  }

  protected override async _head(
    key: string,
    options: CallOptions,
  ): Promise<ObjectInfo | undefined> {
    const response = await this.#send(key, 'HEAD', {}, options.signal)
    await discardBody(response)
    if (isMissing(response)) return undefined
    const size = parseContentLength(response.headers.get('content-length'))
    // Try GET if the server doesn't know HEAD or leaves the length out of its answer.
    if (response.status === 405 || response.status === 501 || (response.ok && size === undefined)) {
      return this.#headByGet(key, options.signal)
    }
    await this.#assertAnswered(key, response)
    if (size === undefined) throw badReply(key, 'has no length')
    return { key, size, etag: etagOf(response, size) }
  }

  protected override async _put(): Promise<{ etag: string }> {
    throw readOnly()
  }

  protected override async _delete(): Promise<void> {
    throw readOnly()
  }

  // biome-ignore lint/correctness/useYield: there is nothing to yield before the error.
  protected override async *_list(): AsyncIterable<ObjectInfo> {
    throw new UnsupportedOperationError(
      "an HTTP store can't list objects, because HTTP has no request for it; read them by key",
    )
  }

  protected override async _upload(): Promise<UploadSink> {
    throw readOnly()
  }

  protected override async _close(): Promise<void> {}

  /** Handles a 206, which must have the requested range and etag. */
  async #partial(
    key: string,
    response: Response,
    asked: ByteRange | undefined,
    ifMatch: string | undefined,
  ): Promise<StoredObject> {
    const said = parseContentRange(response.headers.get('content-range'))
    if (asked === undefined || said?.range === undefined || said.size === undefined) {
      throw badReply(key, 'is partial, but has no valid Content-Range')
    }
    const { size } = said
    const etag = etagOf(response, size)
    assertMatch(key, ifMatch, etag)
    // A suffix is requested without its end, which HTTP can't express.
    const sent = asked.start < 0 ? { start: asked.start } : asked
    const { start, end } = resolveRange(sent, size)
    if (said.range.start !== start || said.range.end !== end) {
      throw badReply(key, 'has another range than requested')
    }
    const { bytes, read } = await readBody(response, 0, end - start)
    if (read !== end - start) throw badReply(key, `is ${shortOrLong(read, end - start)}`)
    const wanted = resolveRange(asked, size)
    return {
      key,
      size,
      etag,
      bytes: wanted.end === end ? bytes : bytes.slice(0, wanted.end - start),
      offset: start,
    }
  }

  /** Handles a 200, which has the whole object even if a range was requested. */
  async #whole(
    key: string,
    response: Response,
    range: ByteRange | undefined,
    ifMatch: string | undefined,
  ): Promise<StoredObject> {
    const length = parseContentLength(response.headers.get('content-length'))
    if (length === undefined) {
      // The size is known only after everything is read.
      const { bytes: all, read: size } = await readBody(response, 0, Number.POSITIVE_INFINITY)
      const etag = etagOf(response, size)
      assertMatch(key, ifMatch, etag)
      const { start, end } = resolveRange(range, size)
      const bytes = start === 0 && end === size ? all : all.slice(start, end)
      return { key, size, etag, bytes, offset: start }
    }
    const etag = etagOf(response, length)
    assertMatch(key, ifMatch, etag)
    const { start, end } = resolveRange(range, length)
    const { bytes, read } = await readBody(response, start, end)
    const whole = end === length
    if (bytes.length !== end - start || (whole && read !== length)) {
      throw badReply(key, `is ${shortOrLong(read, whole ? length : end)}`)
    }
    if (!whole) await discardBody(response)
    return { key, size: length, etag, bytes, offset: start }
  }

  /** Reads an empty range of an object, which must exist. */
  async #emptyRange(
    key: string,
    range: ByteRange,
    ifMatch: string | undefined,
    signal: AbortSignal | undefined,
  ): Promise<StoredObject> {
    const info = await this._head(key, { signal })
    if (info === undefined) throw new ObjectNotFoundError(key)
    assertMatch(key, ifMatch, info.etag)
    const { start, end } = resolveRange(range, info.size)
    if (end !== start) throw badReply(key, 'refuses a range within the object')
    return { ...info, bytes: new Uint8Array(0), offset: start }
  }

  async #headByGet(key: string, signal: AbortSignal | undefined): Promise<ObjectInfo | undefined> {
    const response = await this.#send(key, 'GET', { range: 'bytes=0-0' }, signal)
    try {
      if (isMissing(response)) return undefined
      if (response.status !== 416) await this.#assertAnswered(key, response)
      let size: number | undefined
      if (response.status === 200) {
        size = parseContentLength(response.headers.get('content-length'))
        // The server doesn't say how long the object is: count its bytes.
        const nothing = Number.POSITIVE_INFINITY
        size ??= (await readBody(response, nothing, nothing)).read
      } else size = parseContentRange(response.headers.get('content-range'))?.size
      if (size === undefined) throw badReply(key, 'has no length')
      return { key, size, etag: etagOf(response, size) }
    } catch (error) {
      throw this.#typed(key, error, signal)
    } finally {
      await discardBody(response)
    }
  }

  async #send(
    key: string,
    method: string,
    headers: Record<string, string>,
    signal: AbortSignal | undefined,
  ): Promise<Response> {
    const path = key.split('/').map(encodeURIComponent).join('/')
    try {
      return await this.#fetch(`${this.#base}/${path}${this.#query}`, {
        method,
        headers: { ...this.#headers, ...headers },
        ...(signal === undefined ? {} : { signal }),
      })
    } catch (error) {
      throw this.#typed(key, error, signal)
    }
  }

  async #assertAnswered(key: string, response: Response): Promise<void> {
    const { status } = response
    if (isMissing(response)) throw new ObjectNotFoundError(key)
    if (status === 412) throw new PreconditionFailedError(key, 'ifMatch')
    const encoding = response.headers.get('content-encoding') ?? 'identity'
    if ((status === 200 || status === 206) && encoding !== 'identity') {
      throw new ObjectStoreError(
        `the server sends object '${key}' with Content-Encoding ${JSON.stringify(encoding)}, which ` +
          'makes ranges meaningless; configure it to send objects without encoding',
        { reason: 'bad-reply' },
      )
    }
    if (status === 200 || status === 206) return
    const { reason, retryable } = meaningOf(status)
    throw new ObjectStoreError(`the server answered ${status} for object '${key}'`, {
      reason,
      retryable,
    })
  }

  /** Turns errors of `fetch` into typed ones: TypeErrors, with the details in `cause`. */
  #typed(key: string, error: unknown, signal: AbortSignal | undefined): unknown {
    if (signal?.aborted === true) return signal.reason
    if (isFirnError(error)) return error
    return new ObjectStoreError(`the server could not be reached for object '${key}', or hung up`, {
      reason: 'unavailable',
      retryable: true,
      cause: error,
    })
  }
}

function parseBase(baseUrl: string | URL): URL {
  let url: URL | undefined
  try {
    url = new URL(baseUrl)
  } catch {
    // The error is thrown below, without the URL, which may contain credentials.
  }
  if (url === undefined || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    throw new InvalidArgumentError('an HTTP store needs an http: or https: URL')
  }
  return url
}

function basic(url: URL): string {
  let text: string
  try {
    text = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`
  } catch {
    throw new InvalidArgumentError(
      'the name or password in the URL of an HTTP store has an invalid % escape; write % itself as %25',
    )
  }
  const bytes = Array.from(new TextEncoder().encode(text), (byte) => String.fromCharCode(byte))
  return `Basic ${btoa(bytes.join(''))}`
}

function readOnly(): ReadOnlyStoreError {
  return new ReadOnlyStoreError(
    'an HTTP store is read-only; to write, open the store behind the server',
  )
}

function isMissing(response: Response): boolean {
  return response.status === 404 || response.status === 410
}

function etagOf(response: Response, size: number): string {
  const etag = response.headers.get('etag')
  if (etag !== null && etag !== '') return etag
  return `modified:${response.headers.get('last-modified') ?? ''}:${size}`
}

function assertMatch(key: string, ifMatch: string | undefined, etag: string): void {
  if (ifMatch !== undefined && ifMatch !== etag) throw new PreconditionFailedError(key, 'ifMatch')
}

function shortOrLong(actual: number, expected: number): string {
  return actual < expected
    ? `cut short: ${actual} of ${expected} bytes`
    : `longer than the ${expected} bytes it should have`
}

function meaningOf(status: number): { reason: ObjectStoreErrorReason; retryable: boolean } {
  if (status === 401 || status === 403 || status === 407) {
    return { reason: 'permission', retryable: false }
  }
  if (status === 429 || status === 503) return { reason: 'throttled', retryable: true }
  if (status === 408 || status === 504) return { reason: 'timeout', retryable: true }
  if (status >= 500) return { reason: 'unavailable', retryable: true }
  return { reason: 'bad-reply', retryable: false }
}
