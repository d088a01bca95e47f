import type { LogEntry } from '../commit-log.js'

/** Returns the next entries, in order; an empty list or `undefined` when there are no more. */
export type NextBatch = () => Promise<readonly LogEntry[] | undefined>

/**
 * Yields entries one by one from a source that reads them in batches. An async generator would cost
 * half a microsecond for each; this costs a resolved promise.
 */
export class BatchedEntries implements AsyncIterableIterator<LogEntry> {
  readonly #nextBatch: NextBatch
  readonly #onReturn: (() => void) | undefined
  #batch: readonly LogEntry[] = []
  #at = 0
  #ended = false

  constructor(nextBatch: NextBatch, onReturn?: () => void) {
    this.#nextBatch = nextBatch
    this.#onReturn = onReturn
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  next(): Promise<IteratorResult<LogEntry, undefined>> {
    const value = this.#batch[this.#at]
    if (value === undefined) return this.#refill()
    this.#at++
    return Promise.resolve({ done: false, value })
  }

  async return(): Promise<IteratorResult<LogEntry, undefined>> {
    this.#end()
    return { done: true, value: undefined }
  }

  async #refill(): Promise<IteratorResult<LogEntry, undefined>> {
    if (this.#ended) return { done: true, value: undefined }
    try {
      const batch = (await this.#nextBatch()) ?? []
      const value = batch[0]
      if (value === undefined || this.#ended) {
        this.#end()
        return { done: true, value: undefined }
      }
      this.#batch = batch
      this.#at = 1
      return { done: false, value }
    } catch (error) {
      this.#end()
      throw error
    }
  }

  #end(): void {
    if (this.#ended) return
    this.#ended = true
    this.#batch = []
    this.#at = 0
    this.#onReturn?.()
  }
}
