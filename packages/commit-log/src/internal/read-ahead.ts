/** Returns the next items, in order; an empty list when there are no more. */
type NextItems<T> = () => Promise<readonly T[]>

export interface ReadAheadOptions<T, R> {
  items: NextItems<T>
  read: (item: T, signal: AbortSignal) => Promise<R>
  /** Most reads under way at once. */
  parallel: number
  /** Most results kept for their turn, reads under way included. */
  ahead: number
  signal?: AbortSignal | undefined
}

type Outcome<R> = { value: R } | { error: unknown }

interface Read<R> {
  readonly controller: AbortController
  readonly outcome: Promise<Outcome<R>>
  /** The outcome, once there is one. */
  settled: Outcome<R> | undefined
}

/**
 * Reads several items at a time and returns the results in order. As soon as one read ends, the
 * next begins: a slow one delays the results after it, but no reads.
 */
export class ReadAhead<T, R> {
  readonly #options: ReadAheadOptions<T, R>
  readonly #onAbort: () => void
  #waiting: T[] = []
  #noMoreItems = false
  #reads: Read<R>[] = []
  #underWay = 0
  #begun = false
  #ended = false

  constructor(options: ReadAheadOptions<T, R>) {
    this.#options = options
    this.#onAbort = () => this.#abortAll(options.signal?.reason)
  }

  /**
   * Returns the next results, at least one; an empty list when there are no more. Throws the error
   * of the next read.
   */
  async next(): Promise<R[]> {
    if (this.#ended) return []
    const { signal } = this.#options
    try {
      signal?.throwIfAborted()
      if (!this.#begun) signal?.addEventListener('abort', this.#onAbort, { once: true })
      this.#begun = true
      if (this.#reads.length === 0 && this.#waiting.length === 0 && !this.#noMoreItems) {
        const items = await this.#options.items()
        this.#waiting.push(...items)
        this.#noMoreItems = items.length === 0
        signal?.throwIfAborted()
      }
      this.#fill()
      await this.#reads[0]?.outcome
      const results: R[] = []
      for (;;) {
        const settled = this.#reads[0]?.settled
        if (settled === undefined) break
        if ('error' in settled) {
          // Results before the failure are returned first.
          if (results.length > 0) break
          throw settled.error
        }
        results.push(settled.value)
        this.#reads.shift()
      }
      this.#fill()
      if (results.length === 0) this.end()
      return results
    } catch (error) {
      this.end()
      throw error
    }
  }

  /** Aborts reads under way. Idempotent. */
  end(): void {
    if (this.#ended) return
    this.#ended = true
    this.#options.signal?.removeEventListener('abort', this.#onAbort)
    this.#abortAll('not needed any more')
    this.#reads = []
    this.#waiting = []
    this.#noMoreItems = true
  }

  #fill(): void {
    const { parallel, ahead, read } = this.#options
    while (
      !this.#ended &&
      this.#underWay < parallel &&
      this.#reads.length < ahead &&
      this.#waiting.length > 0
    ) {
      const item = this.#waiting.shift() as T
      const controller = new AbortController()
      const outcome = read(item, controller.signal).then(
        (value) => ({ value }),
        (error: unknown) => ({ error }),
      )
      const one: Read<R> = { controller, outcome, settled: undefined }
      this.#reads.push(one)
      this.#underWay++
      void outcome.then((settled) => {
        one.settled = settled
        this.#underWay--
        this.#fill()
      })
    }
  }

  #abortAll(reason: unknown): void {
    for (const { controller, settled } of this.#reads) {
      if (settled === undefined) controller.abort(reason)
    }
  }
}
