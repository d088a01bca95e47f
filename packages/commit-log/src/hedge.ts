import { type Env, systemEnv } from '@firn/env'

/** How many recent latencies are remembered. */
const WINDOW = 128
/**
 * With fewer samples, the only thing assumed of the service is that no request should take as long
 * as `MAX_DELAY_MS`.
 */
const ENOUGH = 16
/** Latencies are sorted again after this many new ones. */
const NEW_PER_LOOK = 16
/** Most requests of one call. The delay before each further one doubles. */
const MAX_REQUESTS = 3
const MIN_DELAY_MS = 20
const MAX_DELAY_MS = 500
/**
 * If more than one request in twenty is late, the 95th percentile is a late one itself. Then a
 * request is late after this many times the median.
 */
const MEDIANS = 4
/** Added to the budget by each call. A further request takes 1, so extra load is a tenth. */
const BUDGET_PER_CALL = 0.1
const FULL_BUDGET = 32
/** Beyond the budget, this many calls at a time get a further request, after `MAX_DELAY_MS` … */
const MOST_BEYOND_BUDGET = 4
/** … and after this many times the median: if all requests take long, none is late. */
const MEDIANS_BEYOND_BUDGET = 8

export interface HedgedCall<T> {
  /** Makes the request. Its signal aborts when the answer is known or the caller gives up. */
  request: (signal: AbortSignal) => Promise<T>
  /**
   * Makes further request number 1, 2 and so on, while the first one is late. Resolves with
   * `undefined` if it found nothing that decides the call. Default: the request once more.
   */
  further?: (number: number, signal: AbortSignal) => Promise<T | undefined>
  signal?: AbortSignal | undefined
}

/**
 * Hedges requests of one kind to one service: if one takes longer than 95 % of the recent ones did,
 * a further one is made, and the first answer counts. So a call takes long only if several requests
 * are late.
 *
 * - A failure counts only if no other request is under way; the first request's failure is thrown.
 * - Further requests have a budget, a tenth of all requests, so that an overloaded service doesn't
 *   get twice the load. When the budget is used up, four calls at a time get a further request
 *   after half a second, if the median is far below that. While few latencies are known, half a
 *   second counts as late too.
 * - Any answer may be used, "nothing there" included. Each request began after the call did, so
 *   each answer was true at some moment of the call. An answer is no older than its call, but may
 *   be older than another call's: the caller orders calls that overlap.
 */
export class Hedge {
  readonly #env: Env
  readonly #latencies: Float64Array = new Float64Array(WINDOW)
  #count = 0
  #delayMs = MAX_DELAY_MS
  /** A request that takes this long may get a further one beyond the budget. */
  #lateMs = MAX_DELAY_MS
  #budget: number = FULL_BUDGET
  /** Calls under way that got further requests beyond the budget. */
  #beyondBudget = 0

  constructor(env: Env = systemEnv) {
    this.#env = env
  }

  /** Rejects with the signal's reason, at once, if the caller gives up. */
  run<T>(call: HedgedCall<T>): Promise<T> {
    const { signal } = call
    if (signal?.aborted === true) return Promise.reject(signal.reason)
    this.#budget = Math.min(FULL_BUDGET, this.#budget + BUDGET_PER_CALL)
    return new Promise<T>((resolve, reject) => {
      // Each request has its own signal: Node warns of more than ten listeners on one.
      const requests: AbortController[] = []
      const timer = new AbortController()
      const startedMs = this.#env.monotonic()
      let open = 0
      let failure: { error: unknown } | undefined
      let isOver = false
      let isBeyondBudget = false
      const end = (): void => {
        isOver = true
        if (isBeyondBudget) this.#beyondBudget--
        signal?.removeEventListener('abort', onAbort)
        // With a reason: without one, Node makes an error and its stack for every request.
        timer.abort('answered')
        for (const request of requests) request.abort('answered')
      }
      const onAbort = (): void => {
        for (const request of requests) request.abort(signal?.reason)
        end()
        reject(signal?.reason)
      }
      const start = (number: number): void => {
        const request = new AbortController()
        requests.push(request)
        open++
        const further = number === 0 ? undefined : call.further
        const sentMs = this.#env.monotonic()
        const onAnswer = (value: T | undefined): void => {
          if (isOver) return
          open--
          if (further === undefined) this.#learn(this.#env.monotonic() - sentMs)
          else if (value === undefined) {
            giveUpIfLast()
            return
          }
          // The first request is now known to take at least this long.
          if (number > 0) this.#learn(this.#env.monotonic() - startedMs)
          end()
          resolve(value as T)
        }
        const onFailure = (error: unknown): void => {
          if (isOver) return
          open--
          if (number === 0) failure = { error }
          giveUpIfLast()
        }
        const made =
          further === undefined ? call.request(request.signal) : further(number, request.signal)
        made.then(onAnswer, onFailure)
      }
      const giveUpIfLast = (): void => {
        if (open > 0 || failure === undefined) return
        end()
        reject(failure.error)
      }
      signal?.addEventListener('abort', onAbort, { once: true })
      const spend = (): boolean => {
        if (this.#budget >= 1) this.#budget--
        else if (!isBeyondBudget) {
          const tookMs = this.#env.monotonic() - startedMs
          if (tookMs < this.#lateMs || this.#beyondBudget >= MOST_BEYOND_BUDGET) return false
          this.#beyondBudget++
          isBeyondBudget = true
        }
        return true
      }
      start(0)
      void this.#goOn(timer.signal, start, spend)
    })
  }

  /** Makes further requests, each when it is due and allowed. */
  async #goOn(
    signal: AbortSignal,
    start: (number: number) => void,
    spend: () => boolean,
  ): Promise<void> {
    let delayMs = this.#delayMs
    try {
      for (let number = 1; number < MAX_REQUESTS; number++) {
        do {
          await this.#env.sleep(delayMs, signal, { background: true })
          if (signal.aborted) return
          delayMs *= 2
        } while (!spend())
        start(number)
      }
    } catch {
      // Answered.
    }
  }

  #learn(ms: number): void {
    this.#latencies[this.#count++ % WINDOW] = ms
    if (this.#count < ENOUGH || this.#count % NEW_PER_LOOK !== 0) return
    const sorted = this.#latencies.slice(0, Math.min(this.#count, WINDOW)).sort()
    const at = (share: number): number => sorted[Math.floor(sorted.length * share)] as number
    const ms95 = Math.min(at(0.95), MEDIANS * at(0.5))
    this.#delayMs = Math.min(MAX_DELAY_MS, Math.max(MIN_DELAY_MS, ms95))
    this.#lateMs = Math.max(MAX_DELAY_MS, MEDIANS_BEYOND_BUDGET * at(0.5))
  }
}
