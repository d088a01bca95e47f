import { isFirnError } from '@firn/env'
import type { Host } from './host.js'
import { Violation } from './violation.js'

/** What services that fail may lead to. */
const OF_FAULTS: ReadonlySet<string> = new Set([
  'FIRN_OBJECT_STORE',
  'FIRN_DYNAMODB',
  'FIRN_COMMIT_UNKNOWN',
  'FIRN_COMMIT_CONFLICT',
])

/**
 * Throws a `Violation` for an error that a call may not end in: one that isn't Firn's, damage where
 * nothing was damaged, trouble where there are no faults. Gives the error's code.
 */
export function assertExpected(
  error: unknown,
  host: Host,
  what: string,
  allowed: readonly string[] = [],
): string {
  if (error instanceof Violation) throw error
  const { simulation } = host
  if (isFirnError(error)) {
    const { code } = error
    if (allowed.includes(code)) return code
    if (OF_FAULTS.has(code) && simulation.hasFaults) return code
    if (code === 'FIRN_CORRUPTION' && simulation.place.damages && simulation.hasFaults) return code
    // Whoever reads may be there before the database is.
    const isEarly = what === 'open' && host.options.mode === 'read' && simulation.hasFaults
    if (code === 'FIRN_DATABASE_NOT_FOUND' && isEarly) return code
  }
  throw new Violation(`${host.name}: ${what} must not fail with ${String(error)}`, { cause: error })
}
