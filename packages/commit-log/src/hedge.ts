import { type Env, systemEnv } from '@firn/env'

/** How many of the last requests' latencies are remembered. */
const WINDOW = 128
/**
 * With fewer, nothing is known of the service but that no request should take as long as
 * `MAX_DELAY_MS`.
 */
const ENOUGH = 16
/** Latencies are put in order after so many new ones. */
const NEW_PER_LOOK = 16
/** Requests of one call at most. The delay before each further one doubles. */
const MAX_REQUESTS = 3
const MIN_DELAY_MS = 20
const MAX_DELAY_MS = 500
/**
 * Where more than one of twenty requests is late, the 95th percentile is one of the late ones: then
 * this many times the median tells a late one.
 */
const MEDIANS = 4
/** What each call adds to the budget that a further request takes 1 of: extra load is a tenth. */
const BUDGET_PER_CALL = 0.1
const FULL_BUDGET = 32
/**
 * Beyond the budget, a further request is made for so many calls at a time, after `MAX_DELAY_MS` …
 */
const MOST_BEYOND_BUDGET = 4
/** … and after this many times the median: where all requests take long, none is late. */
const MEDIANS_BEYOND_BUDGET = 8

export interface HedgedCall<T> {
  /** Makes the request. Its signal aborts when the answer is known, or the caller gives up. */
  request: (signal: AbortSignal) => Promise<T>
  /**
   * Makes a further request, number 1, 2 and so on, while the first one is late. `undefined`: it
   * has found nothing that decides the call. Default: the request once more.
   */
  further?: (number: number, signal: AbortSignal) => Promise<T | undefined>
  signal?: AbortSignal | undefined
}

/**
 * Requests of one kind to one service, of which some answers are late: where one takes longer than
 * 95 % of the last ones did, a further one is made, and the first answer counts. So a call takes
 * long only where several requests are late.
 *
 * - A failure counts only where no other request is under way; the first request's is thrown.
 * - Further requests have a budget, a tenth of all: a service that has too much to do doesn't get
 *   twice as much. Where it is used up, four calls at a time get a further request after half a
 *   second, if the median is far below that. Half a second is late as well while few latencies are
 *   known.
 * - Any answer may be taken, that there is nothing included: each request began after the call did,
 *   so each says what was true at some moment of the call. An answer is no older than its call, but
 *   it may be older than another call's: order between calls that overlap is the caller's to keep.
 */
export class Hedge {
  readonly #env: Env
  readonly #latencies: Float64Array = new Float64Array(WINDOW)
  #count = 0
  #delayMs = MAX_DELAY_MS
  /** A request that takes this long may get a further one beyond the budget. */
  #lateMs = MAX_DELAY_MS
  #budget: number = FULL_BUDGET
  /** Calls under way that were given further requests beyond the budget. */
  #beyondBudget = 0

  constructor(env: Env = systemEnv) {
    this.#env = env
  }

  /** Rejects with the signal's reason, at once, where the caller gives up. */
  run<T>(call: HedgedCall<T>): Promise<T> {
    const { signal } = call
    if (signal?.aborted === true) return Promise.reject(signal.reason)
    this.#budget = Math.min(FULL_BUDGET, this.#budget + BUDGET_PER_CALL)
    return new Promise<T>((resolve, reject) => {
      // Each request has a signal of its own: Node warns of more than ten listeners on one.
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
          // Of the first one it is known now that it takes at least so long.
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

  /** Makes further requests, each when it is time and may be made. */
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
