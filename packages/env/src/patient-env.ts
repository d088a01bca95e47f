import type { Env } from './env.js'
import { systemEnv } from './env-system.js'

/**
 * The system's `Env`, except that a background sleep ends only by its signal. So no request counts
 * as late on a busy machine, and no periodic work runs. For tests that count requests.
 */
export const patientEnv: Env = {
  ...systemEnv,
  sleep: (ms, signal, options) =>
    options?.background === true ? untilAborted(signal) : systemEnv.sleep(ms, signal, options),
}

function untilAborted(signal: AbortSignal | undefined): Promise<void> {
  return new Promise((_, reject) => {
    if (signal?.aborted === true) reject(signal.reason)
    signal?.addEventListener('abort', () => reject(signal.reason), { once: true })
  })
}
