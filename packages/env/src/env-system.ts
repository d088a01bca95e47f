import type { Env, SleepOptions } from './env.js'
import { RandomPool } from './random-pool.js'

interface World {
  setTimeout(callback: () => void, ms: number): unknown
  clearTimeout(handle: unknown): void
  setInterval(callback: () => void, ms: number): unknown
  clearInterval(handle: unknown): void
  setImmediate?(callback: () => void): unknown
  performance: { now(): number }
  crypto: { getRandomValues(bytes: Uint8Array): Uint8Array }
}

// The only place in the project that reaches for the ambient world. It does so once, when this
// module is loaded; otherwise a test that replaces timers and clocks later (fake timers) would stop
// a database.
const world = globalThis as unknown as World
const { setTimeout, clearTimeout, setInterval, clearInterval, setImmediate } = world
const wallClock: () => number = Date.now
const monotonicClock: () => number = world.performance.now.bind(world.performance)
const random: () => number = Math.random
const getRandomValues = world.crypto.getRandomValues.bind(world.crypto)

// Timers take 31 bits: a longer one would go off at once.
const MAX_TIMER_MS = 2 ** 31 - 1

let trap: ((name: string) => void) | undefined

/**
 * Calls `onUse` with the name of a member of `systemEnv` each time before the member does anything.
 * An error that `onUse` throws reaches the member's caller. Returns a function that ends this. For
 * simulations, which must not touch the real world.
 */
export function trapSystemEnv(onUse: (name: string) => void): () => void {
  trap = onUse
  return () => {
    trap = undefined
  }
}

function sleep(ms: number, signal?: AbortSignal, options: SleepOptions = {}): Promise<void> {
  trap?.('sleep')
  return new Promise<void>((resolve, reject) => {
    if (signal?.aborted === true) {
      reject(signal.reason)
      return
    }
    let left = ms
    let handle: unknown
    const onAbort = () => {
      clearTimeout(handle)
      reject(signal?.reason)
    }
    const arm = () => {
      const next = Math.min(left, MAX_TIMER_MS)
      left -= next
      handle = setTimeout(onTimer, next)
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
  if (setImmediate === undefined) setTimeout(resolve, 0)
  else setImmediate(resolve)
}

let holds = 0
let anchor: unknown

/** One timer keeps the process alive, for all holds together. */
function hold(): () => void {
  trap?.('hold')
  if (holds++ === 0) anchor = setInterval(nothing, MAX_TIMER_MS)
  let held = true
  return () => {
    if (!held) return
    held = false
    if (--holds === 0) clearInterval(anchor)
  }
}

function nothing(): void {}

const pool = new RandomPool((bytes) => getRandomValues(bytes))

/** The real world: the system's clocks, random generator and timers, as they were at import. */
export const systemEnv: Env = Object.freeze({
  now: () => {
    trap?.('now')
    return wallClock() * 1000
  },
  monotonic: () => {
    trap?.('monotonic')
    return monotonicClock()
  },
  random: () => {
    trap?.('random')
    return random()
  },
  randomBytes: (length: number) => {
    trap?.('randomBytes')
    return pool.draw(length)
  },
  sleep,
  yield: () => {
    trap?.('yield')
    return new Promise<void>(turn)
  },
  hold,
})
