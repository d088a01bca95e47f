/** Chunks of a file by their offsets. */
export type Chunks = ReadonlyMap<number, Uint8Array>

/**
 * Chunks that were loaded, and when those of them that came from the source are on disk, or won't
 * be.
 */
export interface LoadedChunks {
  chunks: Chunks
  kept: Promise<void>
}

/**
 * One load of chunks that any number of reads wait for. A read that gives up leaves; when the last
 * one has, before the load is over, the load is aborted.
 */
export class ChunkFlight {
  readonly loaded: Promise<LoadedChunks>
  readonly #controller: AbortController | undefined
  readonly #onAbandoned: () => void
  #waiting = 0
  #settled = false

  /**
   * Starts the load, for a first read that can give up or can't: then the load never will be
   * aborted. `onAbandoned` is called before it is.
   */
  constructor(
    load: (signal: AbortSignal | undefined) => Promise<LoadedChunks>,
    options: { abortable: boolean; onAbandoned: () => void },
  ) {
    this.#controller = options.abortable ? new AbortController() : undefined
    this.#onAbandoned = options.onAbandoned
    this.loaded = load(this.#controller?.signal).finally(() => {
      this.#settled = true
    })
  }

  /** Each owes a `leave`, whatever comes of it. */
  join(): void {
    this.#waiting++
  }

  leave(): void {
    if (--this.#waiting > 0 || this.#settled) return
    this.#onAbandoned()
    this.#controller?.abort()
  }
}
