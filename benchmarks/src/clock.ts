import { systemEnv } from '../../packages/env/dist/index.js'

/** Milliseconds from an arbitrary origin, never decreasing. */
export function monotonicMs(): number {
  return systemEnv.monotonic()
}

/** The time of day as ISO 8601, in UTC. */
export function timestamp(): string {
  return new Date(systemEnv.now() / 1000).toISOString()
}
