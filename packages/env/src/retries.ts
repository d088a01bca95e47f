import type { Env } from './env.js'
import { isFirnError } from './errors.js'

export interface RetriesOptions {
  env: Env
  /** Most attempts of one call, the first included. Default 6. */
  attempts?: number
  /** Longest pause before the first retry; it doubles from retry to retry. Default 50 ms. */
  baseDelayMs?: number
  /** Longest pause of all. Default 5,000 ms. */
  maxDelayMs?: number
  /**
   * How many retries all calls together may be ahead of successes: a retry takes 1 from the budget,
   * and a successful call returns 0.2. When a service is down or asks for less, an empty budget
   * stops retries instead of multiplying the load. Default 100.
   */
  budget?: number
}

const SUCCESS_REFUND = 0.2

/**
 * Repeats calls that failed with a retryable error, after pauses of full jitter: any length up to a
 * bound that doubles, so that callers that failed together don't retry together. All calls on one
 * instance share one budget.
 */
export class Retries {
  readonly #env: Env
  readonly #attempts: number
  readonly #baseDelayMs: number
  readonly #maxDelayMs: number
  readonly #fullBudget: number
  #budget: number

  constructor(options: RetriesOptions) {
    const { env, attempts = 6, baseDelayMs = 50, maxDelayMs = 5000, budget = 100 } = options
    this.#env = env
    this.#attempts = attempts
    this.#baseDelayMs = baseDelayMs
    this.#maxDelayMs = maxDelayMs
    this.#fullBudget = budget
    this.#budget = budget
  }

  /** `onRetry` is called for each failure that will be retried, before the pause. */
  async run<T>(
    signal: AbortSignal | undefined,
    call: () => Promise<T>,
    onRetry?: (error: unknown) => void,
  ): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        const result = await call()
        this.succeeded()
        return result
      } catch (error) {
        await this.pauseOrThrow(error, attempt, signal, onRetry)
      }
    }
  }

  /** Waits before the next attempt. Throws the error if it is the end, or the signal's reason. */
  async pauseOrThrow(
    error: unknown,
    attempt: number,
    signal: AbortSignal | undefined,
    onRetry?: (error: unknown) => void,
  ): Promise<void> {
    const may = isFirnError(error) && error.retryable
    if (may) signal?.throwIfAborted()
    if (!may || attempt >= this.#attempts || this.#budget < 1) throw error
    this.#budget -= 1
    onRetry?.(error)
    const bound = Math.min(this.#maxDelayMs, this.#baseDelayMs * 2 ** (attempt - 1))
    await this.#env.sleep(this.#env.random() * bound, signal)
  }

  /** Returns a part of a retry to the budget. */
  succeeded(): void {
    this.#budget = Math.min(this.#fullBudget, this.#budget + SUCCESS_REFUND)
  }
}
