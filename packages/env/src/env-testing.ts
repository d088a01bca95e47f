import type { Env } from './env.js'
import { InvalidArgumentError } from './errors.js'

interface Sleeper {
  at: number
  wake: () => void
}

/**
 * An `Env` for tests: seeded randomness, clocks that stand still until `advance` moves them, and
 * sleeps that end when the clock passes them. Code that awaits a sleep continues after `advance`
 * returns, with the clocks where `advance` left them.
 */
export class TestEnv implements Env {
  #wallMicros: number
  #monotonicMs = 0
  #state: number
  #sleepers: Sleeper[] = []
  #holds = 0

  constructor(options: { seed?: number; now?: number } = {}) {
    this.#state = (options.seed ?? 1) >>> 0
    this.#wallMicros = options.now ?? 1_700_000_000_000_000
  }

  now(): number {
    return this.#wallMicros
  }

  monotonic(): number {
    return this.#monotonicMs
  }

  /** Mulberry32: 32 bits of state, more than enough to vary a test. */
  random(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0
    let t = this.#state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }

  randomBytes(length: number): Uint8Array {
    return Uint8Array.from({ length }, () => Math.floor(this.random() * 256))
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted === true) {
        reject(signal.reason)
        return
      }
      if (ms <= 0) {
        resolve()
        return
      }
      const sleeper: Sleeper = {
        at: this.#monotonicMs + ms,
        wake: () => {
          signal?.removeEventListener('abort', onAbort)
          resolve()
        },
      }
      const onAbort = () => {
        this.#sleepers = this.#sleepers.filter((other) => other !== sleeper)
        reject(signal?.reason)
      }
      signal?.addEventListener('abort', onAbort, { once: true })
      this.#sleepers.push(sleeper)
    })
  }

  /** A microtask's turn: real I/O gets none. */
  async yield(): Promise<void> {}

  hold(): () => void {
    this.#holds++
    let held = true
    return () => {
      if (held) this.#holds--
      held = false
    }
  }

  /** Moves both clocks forward and wakes the sleeps that end by then, earliest first. */
  advance(ms: number): void {
    if (!(ms >= 0)) throw new InvalidArgumentError(`a clock advances by 0 ms or more, got ${ms}`)
    this.#monotonicMs += ms
    this.#wallMicros += Math.round(ms * 1000)
    const due = this.#sleepers.filter((s) => s.at <= this.#monotonicMs)
    this.#sleepers = this.#sleepers.filter((s) => s.at > this.#monotonicMs)
    for (const sleeper of due.sort((a, b) => a.at - b.at)) sleeper.wake()
  }

  /** Sets only the wall clock, as an administrator or a bad battery would. */
  setWallClock(micros: number): void {
    this.#wallMicros = micros
  }

  /** How many sleeps are pending. */
  get sleeping(): number {
    return this.#sleepers.length
  }

  /** How many holds keep the process alive. */
  get holds(): number {
    return this.#holds
  }
}
