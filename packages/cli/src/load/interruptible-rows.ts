import type { RowSource, SourceRow } from './row-source.js'

type Rows = readonly SourceRow[]

/**
 * Returns rows until the signal aborts, then none, even during a wait for more. One listener serves
 * all waits, because a promise that is raced for each batch would keep all of them in memory.
 */
export class InterruptibleRows {
  readonly #source: RowSource
  readonly #signal: AbortSignal
  #first: Rows | undefined
  #interrupt: () => void = () => {}

  constructor(source: RowSource, signal: AbortSignal) {
    this.#source = source
    this.#signal = signal
    signal.addEventListener('abort', this.#onAbort, { once: true })
  }

  get interrupted(): boolean {
    return this.#signal.aborted
  }

  /**
   * Reads the first rows, which `next` then returns; `undefined` if there are none. Throws if the
   * file as a whole can't be read.
   */
  async peek(): Promise<Rows | undefined> {
    this.#first ??= await this.next()
    return this.#first
  }

  /** Returns `undefined` at the end. */
  async next(): Promise<Rows | undefined> {
    const first = this.#first
    this.#first = undefined
    if (first !== undefined) return first
    if (this.#signal.aborted) return undefined
    return new Promise((resolve, reject) => {
      this.#interrupt = () => resolve(undefined)
      this.#source.next().then(({ value }) => resolve(value ?? undefined), reject)
    })
  }

  /** Ends the reading. Not awaited: a source that waits for input ends when its input does. */
  end(): void {
    this.#signal.removeEventListener('abort', this.#onAbort)
    this.#source.return().then(undefined, () => {})
  }

  #onAbort = (): void => this.#interrupt()
}
