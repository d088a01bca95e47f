import { ClosedError, InvalidArgumentError, isUint8Array } from '@firn/env'
import type { Upload } from './object-store.js'

/**
 * A store's part of one streaming write. An `UploadSession` calls it, one call after another. After
 * `finish` resolves, or `abort` is called, no other call follows. `abort` is also called after a
 * failed `write` or `finish`, and must leave nothing behind.
 */
export interface UploadSink {
  write(bytes: Uint8Array): Promise<void>
  finish(): Promise<{ etag: string; size: number }>
  abort(): Promise<void>
}

/**
 * Enforces the rules of an upload for every store: calls are served in order, the first failure is
 * final, and an upload that ends early (by `abort()`, a failure, the signal, or the store's
 * `close`) aborts its sink once.
 */
export class UploadSession implements Upload {
  readonly #sink: UploadSink
  readonly #signal: AbortSignal | undefined
  readonly #onAbort: () => void
  readonly #onEnd: (session: UploadSession) => void
  #tail: Promise<unknown> = Promise.resolve()
  /** The error after which the upload can't go on. */
  #failure: { error: unknown } | undefined
  #finishing: Promise<{ etag: string; size: number }> | undefined
  #ending: Promise<void> | undefined
  #finished = false

  constructor(
    sink: UploadSink,
    signal: AbortSignal | undefined,
    onEnd: (session: UploadSession) => void,
  ) {
    this.#sink = sink
    this.#signal = signal
    this.#onEnd = onEnd
    this.#onAbort = () => void this.#giveUp(signal?.reason).catch(() => {})
    signal?.addEventListener('abort', this.#onAbort, { once: true })
    if (signal?.aborted === true) this.#onAbort()
  }

  write(bytes: Uint8Array): Promise<void> {
    if (!isUint8Array(bytes)) {
      return Promise.reject(new InvalidArgumentError('upload.write takes a Uint8Array'))
    }
    if (this.#finishing !== undefined) {
      return Promise.reject(new ClosedError('the upload is finished; start another one'))
    }
    return this.#inOrder(() => this.#sink.write(bytes))
  }

  finish(): Promise<{ etag: string; size: number }> {
    this.#finishing ??= this.#inOrder(async () => {
      const done = await this.#sink.finish()
      this.#finished = true
      this.#end()
      return done
    })
    return this.#finishing
  }

  async abort(): Promise<void> {
    await this.#giveUp(new ClosedError('the upload was aborted; start another one'))
  }

  #inOrder<T>(action: () => Promise<T>): Promise<T> {
    const run = this.#tail.then(async () => {
      if (this.#failure !== undefined) throw this.#failure.error
      try {
        return await action()
      } catch (error) {
        // If the upload was aborted while the action ran, that explains the failure better.
        this.#failure ??= { error }
        await this.#abortSink().catch(() => {})
        throw this.#failure.error
      }
    })
    this.#tail = run.catch(() => {})
    return run
  }

  #giveUp(error: unknown): Promise<void> {
    if (this.#finished) return Promise.resolve()
    this.#failure ??= { error }
    const aborted = this.#tail.then(() => (this.#finished ? undefined : this.#abortSink()))
    this.#tail = aborted.catch(() => {})
    return aborted
  }

  #abortSink(): Promise<void> {
    this.#ending ??= this.#sink.abort().finally(() => this.#end())
    return this.#ending
  }

  #end(): void {
    this.#signal?.removeEventListener('abort', this.#onAbort)
    this.#onEnd(this)
  }
}
