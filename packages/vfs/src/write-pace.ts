import type { Env } from '@firn/env'

/** Longer writes go to the thread pool: short ones don't show how long they would take. */
export const LONGEST_WRITE_IN_PLACE: number = 64 * 1024

/** Above this mean, in milliseconds, writes go to the thread pool. */
const QUICK_MS = 0.3
/** The same limit for the turns of the event loop between them. An idle loop takes 0.001. */
const QUICK_TURN_MS = 0.05
/** The longest that a thread's write may take if the next one is to be tried in place. */
const QUICK_BY_THREAD_MS = 1
/** After this many writes in place in a row, earlier slowness is forgotten. */
const QUICK_ENOUGH = 16
const FIRST_REST = 8
const LONGEST_REST = 256

/**
 * Decides whether short durable writes are made in place, blocking the event loop, or by the thread
 * pool. If a disk takes 0.1 ms for one, the way to a thread and back takes as long again.
 *
 * 1. Before each write in place the event loop gets a turn: commits in a loop would otherwise never
 *    let it have one. A busy loop has better things to do than wait for a disk.
 * 2. If writes in place, or turns, are slow on average, threads make the next 8 writes; that number
 *    doubles, up to 256, each time it soon happens again. A single slow write changes little: it
 *    can't be foreseen, and is over.
 * 3. Writes in place begin only after a thread's write was quick, so that a disk which is always
 *    slow blocks nothing.
 */
export class WritePace {
  readonly #env: Env
  #lastByThreadMs = Infinity
  readonly #writes: Mean = new Mean(QUICK_MS)
  readonly #turns: Mean = new Mean(QUICK_TURN_MS)
  /** Writes that still go to threads before the next one in place. */
  #resting = 0
  #rest: number = FIRST_REST
  /** Writes in place since the last rest. */
  #inPlace = 0

  constructor(env: Env) {
    this.#env = env
  }

  /** Whether the next write may be made in place, if the event loop has little else to do. */
  mayBlock(): boolean {
    if (this.#resting === 0) return this.#lastByThreadMs <= QUICK_BY_THREAD_MS
    this.#resting--
    return false
  }

  /** If it may: gives the event loop a turn; returns whether the turn was short. */
  async turn(): Promise<boolean> {
    const since = this.now()
    await this.#env.yield()
    this.#turns.add(this.now() - since)
    if (this.#turns.isHigh) this.#takeRest()
    return this.#resting === 0
  }

  /** Returns the clock time to pass to `took` and `tookByThread`. */
  now(): number {
    return this.#env.monotonic()
  }

  /** Records how long a write in place took. */
  took(since: number): void {
    this.#writes.add(this.now() - since)
    this.#inPlace++
    if (this.#writes.isHigh) this.#takeRest()
    else if (this.#inPlace === QUICK_ENOUGH) this.#rest = FIRST_REST
  }

  /** Records how long a thread took for a write that was short enough to be made in place. */
  tookByThread(since: number): void {
    this.#lastByThreadMs = this.now() - since
  }

  #takeRest(): void {
    this.#writes.reset()
    this.#turns.reset()
    this.#inPlace = 0
    this.#resting = this.#rest
    this.#rest = Math.min(LONGEST_REST, this.#rest * 2)
  }
}

/**
 * A moving mean that begins at half its limit. No value counts for more than twice the limit: a
 * thread that waits for a processor is slow once, whichever thread makes the write.
 */
class Mean {
  readonly #limit: number
  #value = 0

  constructor(limit: number) {
    this.#limit = limit
    this.reset()
  }

  reset(): void {
    this.#value = this.#limit / 2
  }

  add(value: number): void {
    this.#value += (Math.min(value, 2 * this.#limit) - this.#value) / 8
  }

  get isHigh(): boolean {
    return this.#value > this.#limit
  }
}
