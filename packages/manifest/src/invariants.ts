import { compareBytes } from '@firn/bytes'
import { fileBaseVersion } from './file-id.js'
import { MAX_LEVEL, MAX_NAME_BYTES, MAX_TABLE_ID } from './internal/limits.js'
import type { DatabaseState, Edit, FileMeta, Pin } from './state.js'

// Preconditions of edits. Each predicate returns a description of the problem, or `undefined`. A
// writer checks them before it appends; a problem is then a conflict. The fold checks them again; a
// problem is then corruption, since an edit that applied for its writer applies for every reader.

type Problem = string | undefined
type Of<T extends Edit['type']> = Extract<Edit, { type: T }>

/** Entry 1, and no other, begins with `create-database`. */
export function databaseBeginsOnce(
  state: DatabaseState,
  edit: Edit | undefined,
  index: number,
): Problem {
  const creates = edit?.type === 'create-database'
  const must = state.version === 0 && index === 0
  if (creates === must) return undefined
  return must ? 'the first entry must create the database' : 'the database was created before'
}

/** The id was never used, and the name is free. */
export function tableIsNew(state: DatabaseState, edit: Of<'create-table'>): Problem {
  if (edit.name.length === 0 || edit.name.length > MAX_NAME_BYTES) return 'a table needs a name'
  if (state.tableIds.has(edit.name)) return `a table of this name exists (id ${edit.id} is new)`
  if (edit.id < state.nextTableId) return `table id ${edit.id} was used before`
  if (!(Number.isInteger(edit.id) && edit.id > 0 && edit.id < MAX_TABLE_ID)) {
    return `table id ${edit.id} is out of range`
  }
  return undefined
}

export function tableExists(state: DatabaseState, id: number): Problem {
  return state.tables.has(id) ? undefined : `table ${id} doesn't exist`
}

/** The name holds a base version, the keys are in order, and the numbers are plausible. */
export function fileIsWellFormed(file: FileMeta): Problem {
  if (fileBaseVersion(file.id) === undefined) return `file ${file.id} is not named <version>-<ulid>`
  if (compareBytes(file.smallest, file.largest) > 0) return `file ${file.id} has its keys reversed`
  if (file.minTimestamp > file.maxTimestamp) return `file ${file.id} has its timestamps reversed`
  if (file.deletes > file.records) return `file ${file.id} has more deletes than records`
  if (!(Number.isInteger(file.level) && file.level >= 0 && file.level <= MAX_LEVEL)) {
    return `file ${file.id} is on level ${file.level}`
  }
  return undefined
}

/** Garbage collection may have deleted any file whose base version is below its floor. */
export function fileIsAboveFloor(state: DatabaseState, file: FileMeta): Problem {
  return (fileBaseVersion(file.id) ?? -1) >= state.gcFloor
    ? undefined
    : `file ${file.id} is below the garbage collection floor ${state.gcFloor}; write it again under a new name`
}

/** New files of level 0 are well formed, at or above the floor, new, and of the right kind. */
export function levelZeroFilesFit(
  state: DatabaseState,
  files: readonly FileMeta[],
  commitFiles: boolean,
): Problem {
  const ids = new Set<string>()
  for (const file of files) {
    const problem = fileIsWellFormed(file) ?? fileIsAboveFloor(state, file)
    if (problem !== undefined) return problem
    if (file.level !== 0) return `file ${file.id} is new, but on level ${file.level}`
    if (commitFiles && !file.commitFile) return `file ${file.id} is not a commit's file`
    if (ids.has(file.id)) return `file ${file.id} is added twice`
    ids.add(file.id)
  }
  return filesAreNew(state, ids)
}

export function filesAreNew(state: DatabaseState, ids: ReadonlySet<string>): Problem {
  if (ids.size === 0) return undefined
  for (const file of state.level0) if (ids.has(file.id)) return `file ${file.id} is live already`
  for (const table of state.tables.values()) {
    for (const level of table.levels) {
      for (const file of level) if (ids.has(file.id)) return `file ${file.id} is live already`
    }
  }
  return undefined
}

/** No other flush came first, and everything flushed is committed. */
export function flushFollows(state: DatabaseState, edit: Of<'flush'>): Problem {
  if (edit.from !== state.flushedThrough) {
    return `flushed from ${edit.from}, but version ${state.flushedThrough} is flushed already`
  }
  if (edit.through <= edit.from || edit.through > state.version) {
    return `flushed through ${edit.through}, outside of ${edit.from + 1} to ${state.version}`
  }
  return undefined
}

/** Every id is that of a live file, and none appears twice. */
export function filesAreLive(state: DatabaseState, ids: readonly string[]): Problem {
  const missing = new Set(ids)
  if (missing.size !== ids.length) return 'a file is removed twice'
  for (const file of state.level0) missing.delete(file.id)
  for (const table of state.tables.values()) {
    if (missing.size === 0) break
    for (const level of table.levels) for (const file of level) missing.delete(file.id)
  }
  for (const id of missing) return `file ${id} is not live`
  return undefined
}

/** A table's files of one level, in key order, don't overlap. */
export function levelIsDisjoint(files: readonly FileMeta[]): Problem {
  for (let i = 1; i < files.length; i++) {
    const before = files[i - 1] as FileMeta
    const file = files[i] as FileMeta
    if (compareBytes(before.largest, file.smallest) >= 0) {
      return `files ${before.id} and ${file.id} of level ${file.level} overlap`
    }
  }
  return undefined
}

/**
 * No pin in force needs the history that the raised floors drop. A pin's expiry is compared with
 * the timestamps of the log, so that every reader of the log decides alike.
 */
export function floorsKeepPins(state: DatabaseState, floors: Of<'compact'>['floors']): Problem {
  for (const { table, timestamp } of floors) {
    const createdAt = state.tables.get(table)?.createdAt ?? 0
    for (const pin of state.pins.values()) {
      if (pin.expiresAt !== undefined && pin.expiresAt <= state.timestamp) continue
      if (pin.version >= createdAt && pin.timestamp < timestamp) {
        return `version ${pin.version} is pinned, so table ${table} must keep its history`
      }
    }
  }
  return undefined
}

/** The pinned version is committed, and every table still has the history it needs. */
export function pinIsRetained(state: DatabaseState, pin: Pin): Problem {
  if (pin.version > state.version || pin.timestamp > state.timestamp) {
    return `version ${pin.version} can't be pinned before it is committed`
  }
  for (const table of state.tables.values()) {
    if (table.createdAt <= pin.version && table.historyFloor > pin.timestamp) {
      return `version ${pin.version} is no longer retained by table ${table.id}`
    }
  }
  return undefined
}

/** No other version is pinned under this name: renewing a pin changes only when it expires. */
export function pinNameIsFree(state: DatabaseState, pin: Pin): Problem {
  const other = state.pins.get(pin.name)
  return other === undefined || other.version === pin.version
    ? undefined
    : `a pin of this name holds version ${other.version}`
}

export function pinExists(state: DatabaseState, name: string): Problem {
  return state.pins.has(name) ? undefined : 'there is no pin of this name'
}

export function gcFloorRises(state: DatabaseState, version: number): Problem {
  if (version < state.gcFloor) return `the garbage collection floor is at ${state.gcFloor} already`
  if (version > state.version + 1) return `garbage collection floor ${version} is in the future`
  return undefined
}

export function checkpointIsPast(state: DatabaseState, version: number): Problem {
  return version >= 1 && version <= state.version
    ? undefined
    : `version ${version} of a checkpoint isn't committed`
}
