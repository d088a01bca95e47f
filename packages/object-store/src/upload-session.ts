import { ClosedError, InvalidArgumentError, isUint8Array } from '@firn/env'
import type { Upload } from './object-store.js'

/**
 * What a store does for one streaming write. An `UploadSession` makes its calls one after another;
 * after `finish` resolves, or `abort` is called, no other follows. `abort` also follows a failed
 * `write` or `finish`, and leaves nothing behind.
 */
export interface UploadSink {
  write(bytes: Uint8Array): Promise<void>
  finish(): Promise<{ etag: string; size: number }>
  abort(): Promise<void>
}

/**
 * The rules of an upload, the same for every store: calls are served in the order they were made
 * in, the first failure is final, and whatever ends an upload early (`abort()`, a failure, the
 * signal, the store's `close`) aborts its sink once.
 */
export class UploadSession implements Upload {
  readonly #sink: UploadSink
  readonly #signal: AbortSignal | undefined
  readonly #onAbort: () => void
  readonly #onEnd: (session: UploadSession) => void
  #tail: Promise<unknown> = Promise.resolve()
  /** Why the upload can't go on. */
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
      return Promise.reject(new ClosedError('write after finish: start another upload'))
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
    await this.#giveUp(new ClosedError('the upload was aborted: start another one'))
  }

  #inOrder<T>(action: () => Promise<T>): Promise<T> {
    const run = this.#tail.then(async () => {
      if (this.#failure !== undefined) throw this.#failure.error
      try {
        return await action()
      } catch (error) {
        // An abort that came while the action ran is the better explanation of its failure.
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
