import { type Env, holding } from '@firn/env'

/** Failures in a row after which work is given up until the next poke; some 3 s of pauses. */
const MAX_ATTEMPTS = 5
const RETRY_DELAY_MS = 100
/** How long abandoned work rests, at first and at most. */
const REST_MS = 30_000
const MOST_REST_MS = 60 * 60_000

export interface BackgroundWorkOptions {
  env: Env
  /** One step of the work; false when there was nothing to do. */
  step: (signal: AbortSignal) => Promise<boolean>
  /** Called after each failure that is followed by another attempt. */
  onRetry: (error: unknown) => void
  /** Called when all attempts have failed. `restMs`: how long the work should rest. */
  onGiveUp: (error: unknown, restMs: number) => void
}

/**
 * Runs work step by step while there is any, never twice at a time. The process may end in the
 * middle of it, unless a caller waits for it (`drain`, `stop`).
 */
export class BackgroundWork {
  readonly #options: BackgroundWorkOptions
  readonly #abort: AbortController = new AbortController()
  #running: Promise<void> | undefined
  #poked = false
  #failure: unknown
  #restMs = REST_MS
  failures = 0

  constructor(options: BackgroundWorkOptions) {
    this.#options = options
  }

  get running(): boolean {
    return this.#running !== undefined
  }

  /** Starts the work: there may be something to do. */
  poke(): void {
    if (this.#abort.signal.aborted) return
    this.#poked = true
    this.#running ??= this.#run()
  }

  /** Resolves when nothing is left to do. Throws the error that made the work give up. */
  async drain(): Promise<void> {
    this.#failure = undefined
    this.poke()
    while (this.#running !== undefined) await holding(this.#options.env, this.#running)
    if (this.#failure !== undefined) throw this.#failure
  }

  /** Aborts the step under way and waits for its end. */
  async stop(reason: unknown): Promise<void> {
    this.#abort.abort(reason)
    if (this.#running !== undefined) await holding(this.#options.env, this.#running)
  }

  async #run(): Promise<void> {
    // A poke that comes before the first step finds the work running.
    await undefined
    const { env, step, onRetry } = this.#options
    const { signal } = this.#abort
    let attempts = 0
    try {
      while (this.#poked && !signal.aborted) {
        this.#poked = false
        try {
          while (await step(signal)) attempts = 0
          this.#restMs = REST_MS
        } catch (error) {
          if (signal.aborted) return
          this.failures++
          if (++attempts === MAX_ATTEMPTS) {
            this.#giveUp(error)
            return
          }
          onRetry(error)
          this.#poked = true
          const pauseMs = RETRY_DELAY_MS * 2 ** attempts
          await env.sleep(pauseMs, signal, { background: true }).catch(() => {})
        }
      }
    } finally {
      // Cleared in the turn in which the loop found no poke: a later poke starts another run.
      this.#running = undefined
    }
  }

  #giveUp(error: unknown): void {
    const restMs = this.#restMs
    this.#restMs = Math.min(2 * restMs, MOST_REST_MS)
    this.#failure = error
    this.#options.onGiveUp(error, restMs)
  }
}
