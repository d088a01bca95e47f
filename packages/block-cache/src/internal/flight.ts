/** Loads a value; the signal, where there is one, aborts when nobody waits for it any more. */
export type Loader<V> = (signal?: AbortSignal) => Promise<V>

/**
 * One load that any number of callers wait for. A caller that aborts stops waiting, alone; when
 * the last one does, the load itself is aborted.
 */
export class Flight<V> {
  /** Whether the value is wanted in the cache: true as soon as one caller wants it there. */
  fill: boolean
  readonly #promise: Promise<V>
  readonly #controller: AbortController | undefined
  readonly #abandoned: (flight: Flight<V>) => void
  #waiting = 0

  /**
   * Starts the load. `landed` is called with the value before any caller sees it, `settled` when
   * the load is over either way, `abandoned` when all callers have gone before that.
   */
  constructor(
    loader: Loader<V>,
    options: {
      fill: boolean
      /** Whether the first caller can abort: if not, the load never will be. */
      abortable: boolean
      landed: (flight: Flight<V>, value: V) => void
      settled: (flight: Flight<V>) => void
      abandoned: (flight: Flight<V>) => void
    },
  ) {
    this.fill = options.fill
    this.#controller = options.abortable ? new AbortController() : undefined
    this.#abandoned = options.abandoned
    this.#promise = this.#run(loader, options.landed, options.settled)
  }

  /** The value, or the signal's reason if that aborts first. `signal` must not be aborted yet. */
  join(signal: AbortSignal | undefined): Promise<V> {
    this.#waiting++
    if (signal === undefined) return this.#promise
    return new Promise<V>((resolve, reject) => {
      const onAbort = () => {
        reject(signal.reason)
        if (--this.#waiting === 0) this.#abandon(signal.reason)
      }
      signal.addEventListener('abort', onAbort, { once: true })
      this.#promise
        .finally(() => signal.removeEventListener('abort', onAbort))
        .then(resolve, reject)
    })
  }

  #abandon(reason: unknown): void {
    this.fill = false
    this.#abandoned(this)
    this.#controller?.abort(reason)
  }

  async #run(
    loader: Loader<V>,
    landed: (flight: Flight<V>, value: V) => void,
    settled: (flight: Flight<V>) => void,
  ): Promise<V> {
    try {
      // The turn lets the constructor finish, so that a loader which fails at once finds the
      // flight registered.
      await undefined
      const value = await loader(this.#controller?.signal)
      landed(this, value)
      return value
    } finally {
      settled(this)
    }
  }
}
