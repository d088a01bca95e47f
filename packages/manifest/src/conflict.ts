import { applyEdit, replaceInLevels } from './internal/apply-edit.js'
import {
  checkpointIsPast,
  databaseBeginsOnce,
  fileIsAboveFloor,
  fileIsWellFormed,
  filesAreLive,
  filesAreNew,
  floorsKeepPins,
  flushFollows,
  gcFloorRises,
  levelIsDisjoint,
  levelZeroFilesFit,
  pinExists,
  pinIsRetained,
  pinNameIsFree,
  tableExists,
  tableIsNew,
} from './invariants.js'
import type { DatabaseState, Edit, FileMeta } from './state.js'

/**
 * Returns why an entry with these edits wouldn't apply right after `state`, or `undefined` if it
 * would. A writer that loses its version to another writer asks again with the state after that.
 */
export function conflictOf(state: DatabaseState, edits: readonly Edit[]): string | undefined {
  if (edits.length === 0) return databaseBeginsOnce(state, undefined, 0)
  let next = state
  for (const [index, edit] of edits.entries()) {
    const problem = databaseBeginsOnce(state, edit, index) ?? conflictOfEdit(next, edit)
    if (problem !== undefined) return problem
    if (index < edits.length - 1) next = applyEdit(next, edit, state.version + 1, state.timestamp)
  }
  return undefined
}

/** Returns why one edit doesn't apply to the state that the edits before it made. */
export function conflictOfEdit(state: DatabaseState, edit: Edit): string | undefined {
  switch (edit.type) {
    case 'create-database':
    case 'records':
      return undefined
    case 'create-table':
      return tableIsNew(state, edit)
    case 'alter-table':
    case 'drop-table':
      return tableExists(state, edit.id)
    case 'add-files':
      return levelZeroFilesFit(state, edit.files, true)
    case 'flush':
      return flushFollows(state, edit) ?? levelZeroFilesFit(state, edit.files, false)
    case 'compact':
      return compactionFits(state, edit)
    case 'gc-floor':
      return gcFloorRises(state, edit.version)
    case 'pin':
      return pinNameIsFree(state, edit.pin) ?? pinIsRetained(state, edit.pin)
    case 'unpin':
      return pinExists(state, edit.name)
    case 'checkpoint':
      return checkpointIsPast(state, edit.version)
  }
}

/** Inputs are live, outputs are new and don't overlap, tables exist, pinned history stays. */
function compactionFits(
  state: DatabaseState,
  edit: Extract<Edit, { type: 'compact' }>,
): string | undefined {
  const dead = filesAreLive(state, edit.removed)
  if (dead !== undefined) return dead
  const removed = new Set(edit.removed)
  const created = new Set<string>()
  const addedByTable = new Map<number, FileMeta[]>()
  for (const { table, file } of edit.added) {
    const problem = fileIsWellFormed(file)
    if (problem !== undefined) return problem
    if (file.level > 0) {
      const gone = tableExists(state, table)
      if (gone !== undefined) return gone
      const files = addedByTable.get(table) ?? []
      files.push(file)
      addedByTable.set(table, files)
    }
    // A file that only moves to another level keeps its name. It is live, so it wasn't deleted.
    if (removed.has(file.id)) continue
    const late = fileIsAboveFloor(state, file)
    if (late !== undefined) return late
    if (created.has(file.id)) return `file ${file.id} is added twice`
    created.add(file.id)
  }
  const old = filesAreNew(state, created)
  if (old !== undefined) return old
  for (const [id, added] of addedByTable) {
    const levels = replaceInLevels(state.tables.get(id)?.levels ?? [], removed, added)
    for (const level of new Set(added.map((file) => file.level))) {
      const overlap = levelIsDisjoint(levels[level - 1] ?? [])
      if (overlap !== undefined) return overlap
    }
  }
  for (const { table } of edit.floors) {
    const gone = tableExists(state, table)
    if (gone !== undefined) return gone
  }
  return floorsKeepPins(state, edit.floors)
}
