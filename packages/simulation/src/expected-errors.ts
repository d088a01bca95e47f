import { isFirnError } from '@firn/env'
import { Abandoned } from './abandoned.js'
import type { Host } from './host.js'
import { Violation } from './violation.js'

/** Errors that failing services may cause. */
const OF_FAULTS: ReadonlySet<string> = new Set([
  'FIRN_OBJECT_STORE',
  'FIRN_DYNAMODB',
  'FIRN_COMMIT_UNKNOWN',
  'FIRN_COMMIT_CONFLICT',
  'FIRN_WRITE_STALLED',
])

/** Errors that failing disks may cause. */
const OF_DISKS: ReadonlySet<string> = new Set([
  'FIRN_OBJECT_STORE',
  'FIRN_LOG_FAILED',
  'FIRN_WRITE_STOPPED',
  'FIRN_WRITE_STALLED',
  // Tables are dropped while other clients write to them.
  'FIRN_COMMIT_CONFLICT',
])

/** Explanations of an error besides possible faults. */
export interface Explanations {
  /** Codes that the call may always end in. */
  allowed?: readonly string[]
  /** How many garbled answers had reached the process when the call was made. */
  garbledBefore?: number
}

/**
 * Throws a `Violation` for an error that a call must not end in: an error that isn't Firn's, damage
 * when nothing was damaged, trouble when there are no faults. Returns the error's code.
 */
export function assertExpected(
  error: unknown,
  host: Host,
  what: string,
  { allowed = [], garbledBefore = 0 }: Explanations = {},
): string {
  if (error instanceof Violation) throw error
  const { simulation } = host
  if (error instanceof Abandoned) {
    // A directory is released first.
    const takesTime = what === 'open' && simulation.place.kind === 'embedded'
    if (!takesTime) error.assertPrompt(`${host.name}: ${what}`)
    return error.code
  }
  if (isFirnError(error)) {
    const { code } = error
    if (allowed.includes(code)) return code
    const ofFaults = simulation.place.kind === 'embedded' ? OF_DISKS : OF_FAULTS
    if (ofFaults.has(code) && simulation.hasFaults) {
      if (code === 'FIRN_WRITE_STOPPED') host.isStopped = true
      return code
    }
    if (code === 'FIRN_CORRUPTION' && mayBeDamaged(host, garbledBefore)) return code
    // A reader may be there before the database is.
    const isEarly = what === 'open' && host.options.mode === 'read' && simulation.hasFaults
    if (code === 'FIRN_DATABASE_NOT_FOUND' && isEarly) return code
  }
  throw new Violation(`${host.name}: ${what} must not fail with ${String(error)}`, { cause: error })
}

/** A garbled answer is requested again, so damage is reported when the last answer has arrived. */
function mayBeDamaged({ life, simulation }: Host, garbledBefore: number): boolean {
  const { place, hasFaults } = simulation
  if (!hasFaults) return false
  return place.kind === 'embedded' ? place.damages : life.garbled > garbledBefore
}
