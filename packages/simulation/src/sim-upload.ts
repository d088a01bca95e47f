import { concatBytes } from '@firn/bytes'
import { ClosedError, type Env, isFirnError } from '@firn/env'
import { ObjectStoreError, type UploadSink } from '@firn/object-store'

const ATTEMPTS = 6
const FIRST_PAUSE_MS = 50
const PARALLEL_PARTS = 3

/** The requests that uploads of one key make, each once. */
interface UploadRequests {
  create(): Promise<number>
  part(upload: number, number: number, bytes: Uint8Array): Promise<void>
  complete(upload: number): Promise<string>
  abort(upload: number): Promise<void>
  put(bytes: Uint8Array): Promise<string>
  head(): Promise<string | undefined>
}

export interface SimUploadOptions {
  env: Env
  partBytes: number
  requests: UploadRequests
  /** Whether the object that is there now is of these bytes. */
  isOwn: (bytes: Uint8Array) => boolean
}

/**
 * An upload as S3 takes it: what fits a part is put with one request. What is longer is sent in parts,
 * in the background, and becomes an object when all are there and the upload is completed; until then
 * nobody sees any of it. Each request is made again after a failure that may pass.
 */
export class SimUpload implements UploadSink {
  readonly #options: SimUploadOptions
  readonly #chunks: Uint8Array[] = []
  /** Bytes that are in no part yet. */
  #gathered = new Uint8Array(0)
  #upload: Promise<number> | undefined
  #parts = 0
  readonly #underWay: Set<Promise<unknown>> = new Set()
  /** Why a part couldn't be sent. */
  #failure: { error: unknown } | undefined
  #aborted = false

  constructor(options: SimUploadOptions) {
    this.#options = options
  }

  async write(bytes: Uint8Array): Promise<void> {
    const { partBytes } = this.#options
    this.#chunks.push(bytes.slice())
    this.#gathered = concatBytes([this.#gathered, bytes])
    // A full part is sent when more follows: one that doesn't is the whole object, or its last part.
    while (this.#gathered.length > partBytes) {
      const part = this.#gathered.slice(0, partBytes)
      this.#gathered = this.#gathered.slice(partBytes)
      await this.#send(part)
    }
  }

  async finish(): Promise<{ etag: string; size: number }> {
    const whole = concatBytes(this.#chunks)
    const { requests } = this.#options
    if (this.#upload === undefined) {
      return { etag: await this.#make(whole, () => requests.put(whole)), size: whole.length }
    }
    await this.#send(this.#gathered)
    await Promise.all(this.#underWay)
    if (this.#failure !== undefined) throw this.#failure.error
    const upload = await this.#upload
    return { etag: await this.#make(whole, () => requests.complete(upload)), size: whole.length }
  }

  async abort(): Promise<void> {
    this.#aborted = true
    await Promise.all(this.#underWay)
    const upload = await this.#upload?.catch(() => undefined)
    if (upload !== undefined) await this.#again(() => this.#options.requests.abort(upload), true)
  }

  async #send(bytes: Uint8Array): Promise<void> {
    const { requests } = this.#options
    this.#upload ??= this.#again(() => requests.create())
    const upload = await this.#upload
    const number = this.#parts++
    if (this.#underWay.size === PARALLEL_PARTS) await Promise.race(this.#underWay)
    const sending = this.#again(() => requests.part(upload, number, bytes))
    const done: Promise<unknown> = sending
      .catch((error: unknown) => {
        this.#failure ??= { error }
      })
      .then(() => this.#underWay.delete(done))
    this.#underWay.add(done)
  }

  /** Does what makes the object, and settles whether it did. */
  async #make(bytes: Uint8Array, attempt: () => Promise<string>): Promise<string> {
    const { requests, isOwn } = this.#options
    try {
      return await this.#again(attempt)
    } catch (error) {
      const isUnclear =
        isFirnError(error, 'FIRN_PRECONDITION_FAILED') ||
        isFirnError(error, 'FIRN_OBJECT_NOT_FOUND')
      if (!isUnclear) throw error
      const etag = await this.#again(() => requests.head())
      if (etag !== undefined && isOwn(bytes)) return etag
      if (isFirnError(error, 'FIRN_PRECONDITION_FAILED')) throw error
      throw new ObjectStoreError('it is unknown whether the upload was done', {
        reason: 'unavailable',
        cause: error,
      })
    }
  }

  async #again<T>(call: () => Promise<T>, always = false): Promise<T> {
    const { env } = this.#options
    for (let attempt = 1; ; attempt++) {
      if (this.#aborted && !always) throw new ClosedError('the upload was aborted')
      try {
        return await call()
      } catch (error) {
        if (!(isFirnError(error) && error.retryable) || attempt === ATTEMPTS) throw error
        await env.sleep(env.random() * FIRST_PAUSE_MS * 2 ** (attempt - 1))
      }
    }
  }
}
