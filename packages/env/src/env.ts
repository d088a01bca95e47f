/**
 * The world as a database sees it. Everything that differs between two runs of the same program
 * (time, randomness, timers, ids) comes from one injected `Env`, so that a whole system can run in
 * a deterministic simulation. `env-system.ts` is the only file that touches the real world.
 */
export interface Env {
  /** Wall-clock time in whole microseconds since the Unix epoch. May jump, stop or run backwards. */
  now(): number
  /** Milliseconds from an arbitrary origin, never decreasing. Only differences mean anything. */
  monotonic(): number
  /** A number in [0, 1), as `Math.random`. */
  random(): number
  /** `length` bytes that no other process will draw, fit for ids. Not a source of secrets. */
  randomBytes(length: number): Uint8Array
  /**
   * Resolves after `ms` milliseconds (at once for none or fewer); rejects with the signal's reason
   * when it aborts. Whoever awaits it keeps the process alive, unless `background` is set.
   */
  sleep(ms: number, signal?: AbortSignal, options?: SleepOptions): Promise<void>
  /** Resolves after I/O and timers that are due had a turn: for long work on the main thread. */
  yield(): Promise<void>
  /**
   * Keeps the process alive until the function that it returns is called. For a caller that waits for
   * work which doesn't keep the process alive itself, such as that of a thread or a background sleep.
   * An `Env` without it leaves this to the program.
   */
  hold?(): () => void
}

export interface SleepOptions {
  /** Nobody waits for what comes after: the process may end while this sleep is pending. */
  background?: boolean
}
