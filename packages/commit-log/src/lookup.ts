import { CorruptionError, InvalidArgumentError } from '@firn/env'
import type { CommitLog, LogCallOptions, LogEntry } from './commit-log.js'

/** Reads entry `version`; `undefined` if the log doesn't reach that far. */
export async function entryAt(
  log: CommitLog,
  version: number,
  options: LogCallOptions = {},
): Promise<LogEntry | undefined> {
  if (!(Number.isSafeInteger(version) && version > 0)) {
    throw new InvalidArgumentError(`an entry's version is a positive safe integer, got ${version}`)
  }
  for await (const entry of log.readAfter(version - 1, { ...options, limit: 1 })) {
    if (entry.version !== version) {
      throw new CorruptionError(
        `the commit log returned entry ${entry.version} instead of ${version}`,
      )
    }
    return entry
  }
  return undefined
}

// Proportional guesses before every other read halves the range.
const GUESSES = 4

/**
 * Finds the entry with the greatest version whose timestamp is at most `timestamp` (microseconds);
 * `undefined` if all are later. `newest` is the newest entry that counts, such as a
 * `DatabaseState`; later ones are not looked at.
 *
 * Reads single entries: three if commits came at an even pace, by proportion. If they didn't, every
 * other read halves the range.
 */
export async function entryAtTime(
  log: CommitLog,
  timestamp: number,
  options: LogCallOptions & { newest: { version: number; timestamp: number } },
): Promise<LogEntry | undefined> {
  const { newest, ...call } = options
  if (newest.version === 0) return undefined
  if (timestamp >= newest.timestamp) return entryAt(log, newest.version, call)
  // Entry `low` is the answer if no later one is; entry `high` is too late.
  let low: { version: number; timestamp: number; entry?: LogEntry } = { version: 0, timestamp: 0 }
  let high = { version: newest.version, timestamp: newest.timestamp }
  for (let step = 0; high.version - low.version > 1; step++) {
    const even = step < GUESSES || step % 2 === 0
    const version = even ? guess(low, high, timestamp) : halfway(low, high)
    const entry = await entryAt(log, version, call)
    if (entry === undefined) {
      throw new CorruptionError(
        `entry ${version} can't be read, though version ${newest.version} was committed`,
      )
    }
    if (entry.timestamp <= timestamp) low = { version, timestamp: entry.timestamp, entry }
    else high = { version, timestamp: entry.timestamp }
  }
  return low.entry
}

type Point = { version: number; timestamp: number }

function halfway(low: Point, high: Point): number {
  return low.version + Math.floor((high.version - low.version) / 2)
}

/** The version at that time if commits came evenly between the two; strictly between them. */
function guess(low: Point, high: Point, timestamp: number): number {
  // Before the first entry there is no time to measure from.
  if (low.version === 0) return high.version > 2 ? 1 : halfway(low, high)
  const share = (timestamp - low.timestamp) / (high.timestamp - low.timestamp)
  const version = low.version + Math.floor(share * (high.version - low.version))
  return Math.min(high.version - 1, Math.max(low.version + 1, version))
}
