export interface FlightOptions {
  /** Whether the first caller can give up. If not, only `abort` can abort the work's signal. */
  abortable: boolean
  /** Called when all callers have given up, before the work is aborted. */
  onAbandoned?: () => void
}

/**
 * Work that is done once for any number of callers. A caller that gives up only stops its own
 * waiting; when the last one does, the work is aborted.
 */
export class Flight<T> {
  readonly #result: Promise<T>
  readonly #controller: AbortController | undefined
  readonly #onAbandoned: (() => void) | undefined
  #waiting = 0

  /** Starts the work, which gets a signal if it is abortable. */
  constructor(
    work: (signal: AbortSignal | undefined) => Promise<T>,
    { abortable, onAbandoned }: FlightOptions,
  ) {
    this.#controller = abortable ? new AbortController() : undefined
    this.#onAbandoned = onAbandoned
    this.#result = inNextTurn(work, this.#controller?.signal)
  }

  /** Returns the result, or rejects with the signal's reason if that aborts first. */
  join(signal?: AbortSignal): Promise<T> {
    this.#waiting++
    if (signal === undefined) return this.#result
    return new Promise<T>((resolve, reject) => {
      const onAbort = (): void => {
        reject(signal.reason)
        if (--this.#waiting > 0) return
        this.#onAbandoned?.()
        this.abort(signal.reason)
      }
      if (signal.aborted) onAbort()
      else signal.addEventListener('abort', onAbort, { once: true })
      this.#result.finally(() => signal.removeEventListener('abort', onAbort)).then(resolve, reject)
    })
  }

  /** Aborts the work, even if callers wait for it. */
  abort(reason: unknown): void {
    this.#controller?.abort(reason)
  }
}

/**
 * Lets the constructor's caller register the flight first, so that work that fails at once finds it
 * there.
 */
async function inNextTurn<T>(
  work: (signal: AbortSignal | undefined) => Promise<T>,
  signal: AbortSignal | undefined,
): Promise<T> {
  await undefined
  return work(signal)
}
