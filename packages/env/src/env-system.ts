import type { Env } from './env.js'

interface Scheduler {
  setTimeout(callback: () => void, ms: number): unknown
  clearTimeout(handle: unknown): void
  setImmediate?(callback: () => void): unknown
  performance: { now(): number; timeOrigin: number }
  crypto: { getRandomValues(bytes: Uint8Array): Uint8Array }
}

// The one place of the project that reaches for the ambient world.
const world = globalThis as unknown as Scheduler

function turn(resolve: () => void): void {
  if (world.setImmediate === undefined) world.setTimeout(resolve, 0)
  else world.setImmediate(resolve)
}

/** The real world: the system's clocks, random generator and timers. */
export const systemEnv: Env = Object.freeze({
  now: () => Date.now() * 1000,
  monotonic: () => world.performance.now(),
  random: () => Math.random(),
  randomBytes: (length: number) => world.crypto.getRandomValues(new Uint8Array(length)),
  sleep: (ms: number, signal?: AbortSignal) =>
    new Promise<void>((resolve, reject) => {
      if (signal?.aborted === true) {
        reject(signal.reason)
        return
      }
      const onAbort = () => {
        world.clearTimeout(handle)
        reject(signal?.reason)
      }
      const handle = world.setTimeout(() => {
        signal?.removeEventListener('abort', onAbort)
        resolve()
      }, ms)
      ;(handle as { unref?: () => void }).unref?.()
      signal?.addEventListener('abort', onAbort, { once: true })
    }),
  yield: () => new Promise<void>(turn),
})
