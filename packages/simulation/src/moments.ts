import type { At } from './history.js'
import type { Session } from './session.js'

const SECOND_MICROS = 1_000_000
const YEAR_MICROS = 365 * 86_400 * SECOND_MICROS
/** Weights of versions, timestamps, future versions, near times, far future times, and dates. */
const WEIGHTS: readonly number[] = [8, 8, 2, 3, 1, 2, 1]

/**
 * Picks a moment: in the past, not yet seen by this process, or in the future. `undefined` before
 * the first commit.
 */
export function pickMoment({ decisions, history, db }: Session): At {
  const commit = history.commit(decisions.choose('age', 40))
  const newest = history.commit(0)
  if (commit === undefined || newest === undefined) return undefined
  switch (decisions.weigh('by', WEIGHTS)) {
    case 1:
      return { timestamp: commit.timestamp + decisions.between('around', -1, 1) }
    case 2:
      return { version: db.version + decisions.between('ahead', 1, 12) }
    case 3: {
      // Some commits will come before it, during the read.
      const soon = decisions.between('soon', 1, 2 * SECOND_MICROS)
      return { timestamp: newest.timestamp + soon }
    }
    case 4:
      return { timestamp: newest.timestamp + decisions.between('years', 1, 100) * YEAR_MICROS }
    case 5:
      return { dateMs: Math.floor(commit.timestamp / 1000) + decisions.between('date', 0, 1) }
    case 6: {
      const days = decisions.between('days', 1, 1000)
      return { dateMs: Math.floor(newest.timestamp / 1000) + days * 86_400_000 }
    }
    default:
      return { version: decisions.between('version', 1, db.version) }
  }
}

/** Picks a time in the near or far future. */
export function pickTimeToCome({ decisions, history }: Session): At {
  const newest = history.commit(0)
  if (newest === undefined) return undefined
  switch (decisions.choose('to come', 3)) {
    case 0:
      return { timestamp: newest.timestamp + decisions.between('soon', 1, 2 * SECOND_MICROS) }
    case 1:
      return { timestamp: newest.timestamp + decisions.between('years', 1, 100) * YEAR_MICROS }
    default:
      return { dateMs: Math.ceil(newest.timestamp / 1000) + decisions.between('ms', 1, 86_400_000) }
  }
}

/** Whether a moment is a version that doesn't exist yet, if this is the newest known one. */
export function isToCome(at: At, newest: number): boolean {
  return at !== undefined && 'version' in at && at.version > newest
}
