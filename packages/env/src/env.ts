/**
 * The world as a database sees it. Everything that differs between two runs of the same program
 * (time, randomness, timers, ids) comes from one injected `Env`, so that a whole system can run in
 * a deterministic simulation. `env-system.ts` is the only file that touches the real world.
 */
export interface Env {
  /**
   * Wall-clock time in whole microseconds since the Unix epoch. May jump, stop or run backwards.
   */
  now(): number
  /** Milliseconds from an arbitrary origin, never decreasing. Only differences mean anything. */
  monotonic(): number
  /** A number in [0, 1), as `Math.random`. */
  random(): number
  /** `length` bytes that no other process will draw, fit for ids. Not a source of secrets. */
  randomBytes(length: number): Uint8Array
  /**
   * Resolves after `ms` milliseconds (at once for none or fewer); rejects with the signal's reason
   * when it aborts. A pending sleep keeps the process alive, unless `background` is set.
   */
  sleep(ms: number, signal?: AbortSignal, options?: SleepOptions): Promise<void>
  /** Resolves after the event loop has run due timers and I/O. For long work on the main thread. */
  yield(): Promise<void>
  /**
   * Keeps the process alive until the returned function is called. For callers that wait for work
   * that doesn't keep the process alive itself, such as a thread's or a background sleep. If an
   * `Env` doesn't have it, the program has to stay alive by itself.
   */
  hold?(): () => void
}

export interface SleepOptions {
  /** Lets the process end while this sleep is pending. */
  background?: boolean
}
