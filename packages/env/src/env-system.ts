import type { Env, SleepOptions } from './env.js'
import { RandomPool } from './random-pool.js'

interface World {
  setTimeout(callback: () => void, ms: number): unknown
  clearTimeout(handle: unknown): void
  setImmediate?(callback: () => void): unknown
  performance: { now(): number }
  crypto: { getRandomValues(bytes: Uint8Array): Uint8Array }
}

// The one place of the project that reaches for the ambient world.
const world = globalThis as unknown as World

// Timers take 31 bits: a longer one would go off at once.
const MAX_TIMER_MS = 2 ** 31 - 1

function sleep(ms: number, signal?: AbortSignal, options: SleepOptions = {}): Promise<void> {
  return new Promise<void>((resolve, reject) => {
    if (signal?.aborted === true) {
      reject(signal.reason)
      return
    }
    let left = ms
    let handle: unknown
    const onAbort = () => {
      world.clearTimeout(handle)
      reject(signal?.reason)
    }
    const arm = () => {
      const next = Math.min(left, MAX_TIMER_MS)
      left -= next
      handle = world.setTimeout(onTimer, next)
      if (options.background === true) (handle as { unref?: () => void }).unref?.()
    }
    const onTimer = () => {
      if (left > 0) {
        arm()
        return
      }
      signal?.removeEventListener('abort', onAbort)
      resolve()
    }
    signal?.addEventListener('abort', onAbort, { once: true })
    arm()
  })
}

function turn(resolve: () => void): void {
  if (world.setImmediate === undefined) world.setTimeout(resolve, 0)
  else world.setImmediate(resolve)
}

const pool = new RandomPool((bytes) => world.crypto.getRandomValues(bytes))

/** The real world: the system's clocks, random generator and timers. */
export const systemEnv: Env = Object.freeze({
  now: () => Date.now() * 1000,
  monotonic: () => world.performance.now(),
  random: () => Math.random(),
  randomBytes: (length: number) => pool.draw(length),
  sleep,
  yield: () => new Promise<void>(turn),
})
