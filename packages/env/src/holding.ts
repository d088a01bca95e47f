import type { Env } from './env.js'

/**
 * Waits for work that may not keep the process alive itself, and keeps it alive until the work
 * settles. A process whose only hope is an unreferenced thread or timer ends in the middle of an
 * `await`.
 */
export async function holding<T>(env: Env, work: Promise<T>): Promise<T> {
  const release = env.hold?.()
  try {
    return await work
  } finally {
    release?.()
  }
}
