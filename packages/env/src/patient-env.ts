import type { Env } from './env.js'
import { systemEnv } from './env-system.js'

/**
 * `systemEnv`, but a sleep in the background ends by its signal alone: no request counts as late, however
 * busy the machine is, and nothing is done now and then. For tests that count requests.
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
