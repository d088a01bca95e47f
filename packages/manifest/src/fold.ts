import type { LogEntry } from '@firn/commit-log'
import { CorruptionError } from '@firn/env'
import { conflictOfEdit } from './conflict.js'
import { decodeEdits } from './edits.js'
import { applyEdit } from './internal/apply-edit.js'
import { databaseBeginsOnce } from './invariants.js'
import type { DatabaseState, Edit, FileMeta } from './state.js'

/** The state before the first entry: version 0, nothing there. */
export function emptyState(): DatabaseState {
  return {
    version: 0,
    timestamp: 0,
    incarnation: '',
    tables: new Map(),
    tableIds: new Map(),
    nextTableId: 1,
    level0: [],
    flushedThrough: 0,
    gcFloor: 0,
    pins: new Map(),
    checkpoint: undefined,
  }
}

/**
 * The state after an entry. The state before stays as it was; what the entry doesn't touch is
 * shared with it, lists by identity. An entry of records alone takes constant time, whatever the
 * number of records and files. Records of tables that don't exist are nothing: readers skip them.
 *
 * Throws `CorruptionError` for an entry that can't follow: another version, a timestamp that
 * doesn't increase, a tombstone (the log was truncated past the newest checkpoint that can be
 * read), or edits that don't apply. `edits`, where the caller has them decoded, saves doing it
 * again.
 */
export function applyEntry(
  state: DatabaseState,
  entry: LogEntry,
  edits?: readonly Edit[],
): DatabaseState {
  const what = `commit log entry ${entry.version}`
  if (entry.version !== state.version + 1) {
    throw new CorruptionError(`${what} can't follow version ${state.version}`)
  }
  if (!(entry.timestamp > state.timestamp)) {
    throw new CorruptionError(
      `${what} has timestamp ${entry.timestamp}, not after ${state.timestamp} of the one before`,
    )
  }
  if (entry.payload === undefined) {
    throw new CorruptionError(
      `${what} is truncated, and no checkpoint at or after it can be read; restore from a backup`,
    )
  }
  const decoded = edits ?? decodeEdits(entry.payload, what)
  if (decoded.length === 0) refuse(what, databaseBeginsOnce(state, undefined, 0))
  let next = state
  for (const [index, edit] of decoded.entries()) {
    refuse(what, databaseBeginsOnce(state, edit, index) ?? conflictOfEdit(next, edit))
    next = applyEdit(next, edit, entry.version, entry.timestamp)
  }
  return { ...next, version: entry.version, timestamp: entry.timestamp }
}

/** Every file that the present of the database needs, level 0 first. */
export function* liveFiles(state: DatabaseState): IterableIterator<FileMeta> {
  yield* state.level0
  for (const table of state.tables.values()) for (const level of table.levels) yield* level
}

function refuse(what: string, problem: string | undefined): void {
  if (problem !== undefined) throw new CorruptionError(`${what} does not apply: ${problem}`)
}
