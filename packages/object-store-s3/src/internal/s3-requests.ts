import type { S3Client } from '@aws-sdk/client-s3'
import { ClosedError, InvalidArgumentError, type Slots } from '@firn/env'
import type { S3Request, S3RequestKind } from '../s3-request.js'
import { type Attempted, isUnsent, typedError } from './s3-errors.js'

export interface Call extends Omit<Attempted, 'bucket'> {
  kind: S3RequestKind
  bytesSent?: number
  signal?: AbortSignal | undefined
  /** Go ahead of other requests that wait. */
  urgent?: boolean | undefined
}

export interface S3RequestsOptions {
  bucket: string
  client: S3Client
  /** Whether closing the store destroys the client. */
  ownsClient: boolean
  /** One slot for each connection of the client. */
  slots: Slots
  onRequest: ((request: S3Request) => void) | undefined
}

/** Makes one request. What it records in `request` is reported when the request is over. */
export type Send<T> = (
  client: S3Client,
  options: { abortSignal?: AbortSignal },
  request: S3Request,
) => Promise<T>

/**
 * Makes requests. Each waits for a slot, is made once, is reported once, stops when its signal
 * aborts, and fails with the signal's reason or a typed error. It keeps its slot until its answer
 * is read; timeouts begin when it has the slot.
 */
export class S3Requests {
  readonly bucket: string
  readonly #client: S3Client
  readonly #ownsClient: boolean
  readonly #slots: Slots
  readonly #onRequest: ((request: S3Request) => void) | undefined
  #attemptsChecked = false
  #closed = false

  constructor(options: S3RequestsOptions) {
    this.bucket = options.bucket
    this.#client = options.client
    this.#ownsClient = options.ownsClient
    this.#slots = options.slots
    this.#onRequest = options.onRequest
  }

  async run<T>(call: Call, send: Send<T>): Promise<T> {
    if (!this.#attemptsChecked) await this.#checkAttempts()
    return this.#slots.run(() => this.#send(call, send), call)
  }

  async #send<T>(call: Call, send: Send<T>): Promise<T> {
    if (this.#closed) throw new ClosedError('the store was closed before the request was sent')
    const { kind, bytesSent = 0, signal } = call
    const request: S3Request = { kind, bytesSent, bytesReceived: 0, failed: false }
    let sent = true
    try {
      return await send(this.#client, signal === undefined ? {} : { abortSignal: signal }, request)
    } catch (error) {
      request.failed = true
      if (isUnsent(error) && (error as Error).name !== 'AbortError') sent = false
      if (signal?.aborted === true) throw signal.reason
      if (this.#closed) {
        throw new ClosedError('the store was closed before S3 answered', { maybeDone: sent })
      }
      throw typedError(error, { ...call, bucket: this.bucket })
    } finally {
      if (sent) this.#onRequest?.(request)
    }
  }

  /** Whether requests go to AWS and not to a compatible service. Known after a request. */
  async isAws(): Promise<boolean> {
    const { isCustomEndpoint, endpoint } = this.#client.config
    if (isCustomEndpoint !== true || endpoint === undefined) return true
    return isAwsHost((await endpoint()).hostname)
  }

  close(): void {
    this.#closed = true
    if (this.#ownsClient) this.#client.destroy()
  }

  /**
   * Refuses a client with retries of its own, which would hide unclear attempts: a conditional put
   * that meets its own object would look like a lost race.
   */
  async #checkAttempts(): Promise<void> {
    const attempts = await this.#client.config.maxAttempts()
    if (attempts !== 1) {
      throw new InvalidArgumentError(
        `the S3 client makes up to ${attempts} attempts of a request and hides all but the last; ` +
          'create it with maxAttempts: 1, and retry with a RetryingObjectStore',
      )
    }
    this.#attemptsChecked = true
  }
}

export function isAwsHost(hostname: string): boolean {
  return /(^|\.)(amazonaws\.com(\.cn)?|api\.aws|api\.amazonwebservices\.com\.cn)$/.test(hostname)
}
