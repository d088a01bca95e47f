import { InvalidArgumentError, isDate } from '@firn/env'
import type { Moment } from '../../range.js'
import { shown } from './members.js'

/** A moment taken at a call: a version, a timestamp, or both if it was a commit or a snapshot. */
export interface TakenMoment {
  readonly version: number | undefined
  /** Microseconds since the epoch. */
  readonly timestamp: number | undefined
}

/**
 * Copies a moment. Throws `InvalidArgumentError` unless `at` is a Date, { version }, { timestamp },
 * or has both members, as a commit or a snapshot does.
 */
export function takeMoment(at: Moment): TakenMoment {
  if (isDate(at)) {
    const ms = at.getTime()
    if (Number.isNaN(ms)) throw invalid('an invalid Date')
    return { version: undefined, timestamp: ms * 1000 }
  }
  if (typeof at !== 'object' || at === null) throw invalid(shown(at))
  for (const name in at) {
    if (name === 'version' || name === 'timestamp' || name in Object.prototype) continue
    throw invalid(`an object with ${JSON.stringify(name)}`)
  }
  const { version, timestamp } = at as { version?: unknown; timestamp?: unknown }
  if (version === undefined && timestamp === undefined) throw invalid(shown(at))
  return { version: count('version', version), timestamp: count('timestamp', timestamp) }
}

function count(name: string, value: unknown): number | undefined {
  if (value === undefined) return undefined
  if (Number.isSafeInteger(value) && (value as number) >= 0) return value as number
  throw invalid(`{ ${name}: ${shown(value)} }`)
}

function invalid(got: string): InvalidArgumentError {
  return new InvalidArgumentError(
    `at must be a valid Date, { version } or { timestamp } in microseconds since the epoch, got ${got}`,
  )
}
