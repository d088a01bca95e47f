import { type Env, isFirnError } from '@firn/env'

const ATTEMPTS = 6
const BASE_DELAY_MS = 50
const MAX_DELAY_MS = 5000
const FULL_BUDGET = 100
const SUCCESS_REFUND = 0.2

/**
 * Retries the requests of uploads after a retryable error, by the rules and numbers of
 * `RetryingObjectStore`. That one retries whole calls, but only an upload still has the bytes of
 * its parts. One budget serves all uploads of a store.
 */
export class UploadRetries {
  readonly #env: Env
  #budget = FULL_BUDGET

  constructor(env: Env) {
    this.#env = env
  }

  /** Runs `call`, with retries. `onRetry` is called for each failure that is retried. */
  async run<T>(
    signal: AbortSignal | undefined,
    call: () => Promise<T>,
    onRetry?: (error: unknown) => void,
  ): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        const result = await call()
        this.#budget = Math.min(FULL_BUDGET, this.#budget + SUCCESS_REFUND)
        return result
      } catch (error) {
        const may = isFirnError(error) && error.retryable
        if (!may || attempt >= ATTEMPTS || this.#budget < 1) throw error
        signal?.throwIfAborted()
        this.#budget -= 1
        onRetry?.(error)
        const bound = Math.min(MAX_DELAY_MS, BASE_DELAY_MS * 2 ** (attempt - 1))
        await this.#env.sleep(this.#env.random() * bound, signal)
      }
    }
  }
}
