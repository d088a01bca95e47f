import { type Env, waitFor } from '@firn/env'
import { WriteStalledError } from '../../errors.js'

/** Limits at which writers are delayed or wait. */
export interface PressureLimits {
  /** Number of sorted runs in level 0 from which each commit is delayed a little. */
  readonly slowdownLevel0: number
  /** Number of sorted runs in level 0 from which writes wait for compaction. */
  readonly stopLevel0: number
}

/** Number of memtables waiting to be flushed from which writes wait. */
const MAX_IMMUTABLES = 3
/** Number of bytes waiting to be appended to the log from which writes wait. */
const MAX_QUEUED_BYTES = 32 * 1024 * 1024

/** Delay per commit, in milliseconds, for each run of level 0 over the slowdown limit. */
const DELAY_PER_RUN_MS = 1

/**
 * Back pressure: writers are slowed down, then stopped, before readers have to search too many
 * files or memory runs out. A waiting writer keeps the process alive. It fails if the work it waits
 * for is given up.
 */
export class WritePressure {
  readonly #env: Env
  readonly #limits: PressureLimits
  #level0 = 0
  #immutables = 0
  #queuedBytes = 0
  #blocked: Promise<void> | undefined
  #unblock: () => void = () => {}
  #refuse: (error: unknown) => void = () => {}
  #waiting = 0
  #ended = false
  /** How often writers had to stop. */
  stops = 0
  /** How many commits were delayed. */
  slowdowns = 0

  constructor(env: Env, limits: PressureLimits) {
    this.#env = env
    this.#limits = limits
  }

  get isBlocked(): boolean {
    return this.#blocked !== undefined
  }

  /** Number of waiting writers. */
  get waiting(): number {
    return this.#waiting
  }

  /** The work that a writer has to wait for; `undefined` if none. */
  get blockedBy(): 'compaction' | 'flush' | 'log' | undefined {
    if (this.#blocked === undefined) return undefined
    if (this.#level0 >= this.#limits.stopLevel0) return 'compaction'
    return this.#immutables >= MAX_IMMUTABLES ? 'flush' : 'log'
  }

  /**
   * Waits while writes are stopped. Throws `WriteStalledError` if the work that would end the wait
   * was given up, or the signal's reason.
   */
  async wait(signal?: AbortSignal): Promise<void> {
    const blocked = this.#blocked
    if (blocked === undefined) return
    const release = this.#env.hold?.()
    this.#waiting++
    try {
      await waitFor(blocked, signal)
    } finally {
      this.#waiting--
      release?.()
    }
  }

  /** Returns the delay of the next commit, in milliseconds. */
  nextDelayMs(): number {
    const over = this.#level0 - this.#limits.slowdownLevel0
    if (over < 0) return 0
    this.slowdowns++
    return (over + 1) * DELAY_PER_RUN_MS
  }

  setShape(level0: number, immutables: number): void {
    this.#level0 = level0
    this.#immutables = immutables
    this.#update()
  }

  addQueued(bytes: number): void {
    this.#queuedBytes += bytes
    this.#update()
  }

  /**
   * Fails the writers that wait for this work after it was given up. Writes stay stopped: a later
   * writer waits for another attempt.
   */
  fail(work: 'compaction' | 'flush', cause: unknown): void {
    const { stopLevel0 } = this.#limits
    const isConcerned =
      work === 'compaction' ? this.#level0 >= stopLevel0 : this.#immutables >= MAX_IMMUTABLES
    if (this.#blocked === undefined || !isConcerned) return
    const refuse = this.#refuse
    this.#block()
    refuse(new WriteStalledError(work, cause))
  }

  /** Ends all waits for good. Writes are refused from now on, as the writers will find out. */
  end(): void {
    this.#ended = true
    this.#release()
  }

  #release(): void {
    if (this.#blocked === undefined) return
    this.#blocked = undefined
    this.#unblock()
  }

  #block(): void {
    this.#blocked = new Promise((resolve, reject) => {
      this.#unblock = resolve
      this.#refuse = reject
    })
    // There may be no waiter to handle the rejection.
    this.#blocked.catch(() => {})
  }

  #update(): void {
    const stop =
      this.#level0 >= this.#limits.stopLevel0 ||
      this.#immutables >= MAX_IMMUTABLES ||
      this.#queuedBytes >= MAX_QUEUED_BYTES
    if (!stop || this.#ended) this.#release()
    else if (this.#blocked === undefined) {
      this.stops++
      this.#block()
    }
  }
}
