import type { Env } from '@firn/env'
import type { Clock } from './clock.js'
import type { Random } from './random.js'
import type { Life } from './sim-process.js'

/** The trace's word for the end of a turn of a process's event loop. */
export const YIELDED = 'yielded'
const BUSY_TURNS = 0.1
const BUSY_TURN_MS = 50

/** The world as one process of a simulation sees it. */
export class SimEnv implements Env {
  readonly #life: Life
  readonly #clock: Clock
  readonly #random: Random
  /** Whether a turn of the event loop may take long. False if equal work must make equal calls. */
  hasBusyTurns = true
  /** How many calls require the process to stay alive. */
  holds = 0

  constructor(life: Life, clock: Clock, random: Random) {
    this.#life = life
    this.#clock = clock
    this.#random = random
  }

  now(): number {
    return this.#clock.wallMicros(this.#life.world.nowMs)
  }

  monotonic(): number {
    return this.#clock.monotonicMs(this.#life.world.nowMs)
  }

  random(): number {
    return this.#random.number()
  }

  randomBytes(length: number): Uint8Array {
    return this.#random.bytes(length)
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted === true) {
        reject(signal.reason)
        return
      }
      const onAbort = (): void => {
        cancel()
        reject(signal?.reason)
      }
      const cancel = this.#life.after(ms / this.#clock.rate, `slept ${ms} ms`, () => {
        signal?.removeEventListener('abort', onAbort)
        resolve()
      })
      signal?.addEventListener('abort', onAbort, { once: true })
    })
  }

  /** Ends a turn; sometimes other work takes long in that turn. */
  yield(): Promise<void> {
    const isBusy = this.hasBusyTurns && this.#random.number() < BUSY_TURNS
    const ms = isBusy ? this.#random.number() * BUSY_TURN_MS : 0
    const life = this.#life
    life.busyUntilMs = Math.max(life.busyUntilMs, life.world.nowMs + ms)
    return new Promise((resolve) => {
      life.after(ms, YIELDED, resolve)
    })
  }

  hold(): () => void {
    this.holds++
    let held = true
    return () => {
      if (held) this.holds--
      held = false
    }
  }
}
