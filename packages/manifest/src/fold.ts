import type { LogEntry } from '@firn/commit-log'
import { CorruptionError } from '@firn/env'
import { conflictOfEdit } from './conflict.js'
import { decodeEdits } from './edits.js'
import { applyEdit } from './internal/apply-edit.js'
import { databaseBeginsOnce } from './invariants.js'
import type { DatabaseState, Edit, FileMeta } from './state.js'

/** The state before the first entry: version 0, without tables or files. */
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
 * Returns the state after an entry. `state` itself doesn't change; the new state shares what the
 * entry doesn't touch, and unchanged lists are the same arrays. An entry that holds only records
 * takes constant time, however many records and files exist. Records of tables that don't exist
 * are allowed: readers skip them.
 *
 * Throws `CorruptionError` if the entry can't follow: it has another version, its timestamp doesn't
 * increase, it is a tombstone (the log was truncated past the newest readable checkpoint), or its
 * edits don't apply. Pass `edits` if they are already decoded.
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
      `${what} has timestamp ${entry.timestamp}, not after ${state.timestamp} of the entry before`,
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

/** Every file of the current state, level 0 first. */
export function* liveFiles(state: DatabaseState): IterableIterator<FileMeta> {
  yield* state.level0
  for (const table of state.tables.values()) for (const level of table.levels) yield* level
}

function refuse(what: string, problem: string | undefined): void {
  if (problem !== undefined) throw new CorruptionError(`${what} does not apply: ${problem}`)
}
