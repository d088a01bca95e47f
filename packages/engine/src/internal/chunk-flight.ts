/** Chunks of a file by their offsets. */
export type Chunks = ReadonlyMap<number, Uint8Array>

/** Chunks that were loaded, and when those of them that came from the source are on disk, or won't be. */
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
  readonly #controller = new AbortController()
  readonly #onAbandoned: () => void
  #waiting = 0
  #settled = false

  /** Starts the load. `onAbandoned` is called before it is aborted. */
  constructor(load: (signal: AbortSignal) => Promise<LoadedChunks>, onAbandoned: () => void) {
    this.#onAbandoned = onAbandoned
    this.loaded = load(this.#controller.signal).finally(() => {
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
    this.#controller.abort()
  }
}
