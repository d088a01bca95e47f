import type { Env } from '@firn/env'

/**
 * Above this mean, in milliseconds, calls go to the thread pool. Such a call costs the main thread
 * about as much by itself: 39 µs one at a time, against 2.7 µs for a 4 KiB `pread` of the page
 * cache made in place.
 */
const LIMIT_MS = 0.05
const FIRST_REST = 64
/**
 * Time that the first calls may take in total, in milliseconds, before their mean counts: they run
 * code for the first time, which takes longer than the reads themselves.
 */
const TRIAL_MS = 4
const TRIAL_CALLS = 32
const LONGEST_REST = 8192

/**
 * Decides whether short reads are made in place, blocking, or by the thread pool. While the file
 * system answers from memory, waiting for it blocks the event loop for less time than asking a
 * thread. When it doesn't, threads take over. From time to time one call in place checks whether
 * that has changed, ever more rarely while it hasn't.
 */
export class ReadPace {
  readonly #env: Env
  readonly #threadsOnly: boolean
  #meanMs = 0
  #trialMs = 0
  #trialCalls = 0
  /** Calls that still go to threads before the next try in place. */
  #resting = 0
  #rest: number = FIRST_REST
  /** Calls in place since the last rest. */
  #quick = 0

  constructor(env: Env, threadsOnly: boolean) {
    this.#env = env
    this.#threadsOnly = threadsOnly
  }

  /** Whether to make the next call in place. */
  inPlace(): boolean {
    if (this.#threadsOnly) return false
    if (this.#resting === 0) return true
    this.#resting--
    return false
  }

  /** Returns the clock time to pass to `took`. */
  now(): number {
    return this.#env.monotonic()
  }

  /** Records how long a call in place took. */
  took(since: number): void {
    const ms = this.#env.monotonic() - since
    if (this.#trialCalls < TRIAL_CALLS) {
      this.#trialCalls++
      this.#trialMs += ms
      if (this.#trialMs <= TRIAL_MS) return
      this.#trialCalls = TRIAL_CALLS
    }
    // The try after a rest is judged by itself.
    this.#meanMs = this.#quick === 0 ? ms : this.#meanMs + (ms - this.#meanMs) / 8
    if (this.#meanMs <= LIMIT_MS) {
      if (++this.#quick === FIRST_REST) this.#rest = FIRST_REST
      return
    }
    this.#quick = 0
    this.#resting = this.#rest
    this.#rest = Math.min(LONGEST_REST, this.#rest * 2)
  }
}
