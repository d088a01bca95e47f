import type { CompletedPart } from '@aws-sdk/client-s3'
import { ClosedError, InvalidArgumentError, linkedController, waitFor } from '@firn/env'
import { ObjectStoreError, type UploadSink } from '@firn/object-store'
import { PartBuffer } from './part-buffer.js'
import { MAX_PARTS, partSize } from './part-size.js'
import type { UploadRequests } from './upload-requests.js'

export interface S3UploadOptions {
  partBytes: number
  concurrency: number
  signal: AbortSignal | undefined
}

/**
 * Uploads an object to S3:
 * 1. Written bytes collect in memory. If the object ends before a part is full, it is put whole,
 *    with one request.
 * 2. If it goes on, a multipart upload begins, and full parts are sent in the background. A write
 *    waits while the most parts are under way: `concurrency` parts, and as many bytes as that many
 *    first parts have, or a single larger part. One more part is being filled.
 * 3. Each time S3 throttles, the number of parts sent at once halves; each part that arrives raises
 *    it by one.
 * 4. `finish` sends the rest, waits for all parts, and completes the upload.
 */
export class S3Upload implements UploadSink {
  readonly #requests: UploadRequests
  readonly #partBytes: number
  readonly #concurrency: number
  readonly #stop: AbortController
  /** Has the upload listen to the caller's signal no more. */
  readonly #end: () => void
  readonly #buffer = new PartBuffer()
  readonly #parts: CompletedPart[] = []
  readonly #underWay = new Set<Promise<void>>()
  #bytesUnderWay = 0
  /** How many parts may be under way at present. */
  #allowed: number
  #begun: Promise<void> | undefined
  #nextPart = 1
  #size = 0
  #failure: { error: unknown } | undefined

  constructor(requests: UploadRequests, options: S3UploadOptions) {
    this.#requests = requests
    this.#partBytes = options.partBytes
    this.#concurrency = options.concurrency
    this.#allowed = options.concurrency
    const { controller, end } = linkedController(options.signal)
    this.#stop = controller
    this.#end = end
  }

  async write(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length; ) {
      const limit = partSize(this.#nextPart, this.#partBytes)
      // Send a full part only when more follows: otherwise it is the whole object, or its last
      // part.
      if (this.#buffer.length === limit) await this.#sendPart()
      else at += this.#buffer.fill(bytes, at, limit)
    }
    this.#throwIfFailed()
  }

  async finish(): Promise<{ etag: string; size: number }> {
    if (this.#begun === undefined) {
      const bytes = this.#buffer.take()
      const etag = await this.#requests.put(bytes, this.#stop.signal)
      this.#end()
      return { etag, size: bytes.length }
    }
    await this.#sendPart()
    await Promise.all(this.#underWay)
    this.#throwIfFailed()
    const etag = await this.#requests.complete(this.#parts, this.#stop.signal)
    this.#end()
    return { etag, size: this.#size }
  }

  async abort(): Promise<void> {
    this.#end()
    this.#buffer.take()
    this.#stop.abort(new ClosedError('the upload was aborted; start another one'))
    await Promise.all(this.#underWay)
    const begun = await this.#begun?.then(
      () => true,
      () => false,
    )
    if (begun === true) await this.#requests.abort()
  }

  /** Takes the collected bytes as a part, and sends it when there is room. */
  async #sendPart(): Promise<void> {
    this.#throwIfFailed()
    this.#begun ??= this.#requests.create(this.#stop.signal)
    await waitFor(this.#begun, this.#stop.signal)
    const number = this.#nextPart++
    if (number > MAX_PARTS) {
      throw new InvalidArgumentError(
        `an upload has at most ${MAX_PARTS} parts, and those of this one are full; upload a smaller object, or set a larger partBytes`,
      )
    }
    const bytes = this.#buffer.take()
    this.#size += bytes.length
    const room = this.#concurrency * this.#partBytes
    while (
      this.#underWay.size > 0 &&
      (this.#underWay.size >= this.#allowed || this.#bytesUnderWay + bytes.length > room)
    ) {
      await Promise.race(this.#underWay)
    }
    this.#throwIfFailed()
    const sending = this.#send(number, bytes).finally(() => this.#underWay.delete(sending))
    this.#underWay.add(sending)
  }

  /** Sends a part. Never rejects: a failure stops the other parts, and the next call throws it. */
  async #send(number: number, bytes: Uint8Array): Promise<void> {
    this.#bytesUnderWay += bytes.length
    try {
      const { signal } = this.#stop
      const part = await this.#requests.part(number, bytes, signal, this.#slowDown)
      this.#parts[number - 1] = part
      this.#allowed = Math.min(this.#concurrency, this.#allowed + 1)
    } catch (error) {
      this.#failure ??= { error }
      this.#stop.abort(error)
    } finally {
      this.#bytesUnderWay -= bytes.length
    }
  }

  #slowDown = (error: unknown): void => {
    if (!(error instanceof ObjectStoreError) || error.reason !== 'throttled') return
    this.#allowed = Math.max(1, this.#allowed >> 1)
  }

  #throwIfFailed(): void {
    if (this.#failure !== undefined) throw this.#failure.error
    this.#stop.signal.throwIfAborted()
  }
}
