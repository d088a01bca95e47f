import type { Worker } from 'node:worker_threads'
import type { Env } from '@firn/env'

// The machine may be busy; no input takes a decoder a tenth of this.
const HANG_MS = 10_000
const LOOK_MS = 250

/**
 * Returns a thread's answer, or a description why it will never come: the thread is out of memory,
 * or `progress[1]`, the number of calls, no longer grows. Ends the thread.
 */
export async function watched(worker: Worker, progress: Float64Array, env: Env): Promise<unknown> {
  const done = new AbortController()
  const ended = new Promise<unknown>((resolve, reject) => {
    worker.once('message', resolve)
    worker.once('error', (error: Error & { code?: string }) => {
      if (error.code === 'ERR_WORKER_OUT_OF_MEMORY') resolve('memory: the heap is full')
      else reject(error)
    })
  })
  try {
    return await Promise.race([ended, hang(progress, done.signal, env)])
  } finally {
    done.abort()
    await worker.terminate()
  }
}

/** Resolves when one call has been under way for too long. */
async function hang(progress: Float64Array, done: AbortSignal, env: Env): Promise<string> {
  let seen = 0
  let since = env.monotonic()
  while (!done.aborted) {
    // After the thread has ended, nothing waits for this any more.
    await env.sleep(LOOK_MS, done).catch(() => undefined)
    const now = env.monotonic()
    const calls = progress[1] as number
    // The corpus comes before the first call, and has no time limit.
    if (calls === 0 || calls !== seen) {
      seen = calls
      since = now
    } else if (now - since > HANG_MS) return `it hangs: ${HANG_MS / 1000} s and more for one input`
  }
  return 'ended'
}
