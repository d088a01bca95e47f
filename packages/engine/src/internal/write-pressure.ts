/** What writers wait for, and from which point on. */
export interface PressureLimits {
  /** Sorted runs of level 0 from which on every commit is delayed a little. */
  slowdownLevel0: number
  /** Sorted runs of level 0 from which on writes wait until compaction has caught up. */
  stopLevel0: number
  /** Memtables waiting to be flushed from which on writes wait. */
  stopImmutables: number
  /** Bytes waiting to be appended to the log from which on writes wait. */
  stopQueuedBytes: number
}

/** Delay per commit, in milliseconds, for each run of level 0 over the slowdown limit. */
const DELAY_PER_RUN_MS = 1

/**
 * Back-pressure: writers are slowed down, then stopped, before readers have to search through too
 * many files or memory runs out.
 */
export class WritePressure {
  readonly #limits: PressureLimits
  #level0 = 0
  #immutables = 0
  #queuedBytes = 0
  #blocked: Promise<void> | undefined
  #unblock: (() => void) | undefined
  #ended = false
  /** Called when somebody waits. */
  onWait: () => void = () => {}
  /** How often writers had to stop. */
  stops = 0
  /** How many commits were delayed. */
  slowdowns = 0

  constructor(limits: PressureLimits) {
    this.#limits = limits
  }

  get isBlocked(): boolean {
    return this.#blocked !== undefined
  }

  /** What a writer has to wait for; `undefined` while nothing holds it up. */
  wait(): Promise<void> | undefined {
    if (this.#blocked !== undefined) this.onWait()
    return this.#blocked
  }

  /** Milliseconds by which the next commit is to be delayed. */
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

  /** Lets all writers go, for good: there are no more writes, which they are to find out. */
  end(): void {
    this.#ended = true
    this.#release()
  }

  #release(): void {
    this.#unblock?.()
    this.#unblock = undefined
    this.#blocked = undefined
  }

  #update(): void {
    const { stopLevel0, stopImmutables, stopQueuedBytes } = this.#limits
    const stop =
      this.#level0 >= stopLevel0 ||
      this.#immutables >= stopImmutables ||
      this.#queuedBytes >= stopQueuedBytes
    if (!stop || this.#ended) this.#release()
    else if (this.#blocked === undefined) {
      this.stops++
      this.#blocked = new Promise((resolve) => {
        this.#unblock = resolve
      })
    }
  }
}
