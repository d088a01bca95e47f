import { compareBytes } from '@firn/bytes'
import type { DatabaseState, Edit, FileMeta, Pin, TableState } from '../state.js'

type Of<T extends Edit['type']> = Extract<Edit, { type: T }>

/** Applies one edit, which has no conflict, of the entry with this version and timestamp. */
export function applyEdit(
  state: DatabaseState,
  edit: Edit,
  version: number,
  timestamp: number,
): DatabaseState {
  switch (edit.type) {
    case 'records':
      return state
    case 'create-database':
      return { ...state, incarnation: edit.incarnation }
    case 'create-table':
      return createTable(state, edit, version)
    case 'alter-table':
      return withTable(state, edit.id, (table) => ({ ...table, options: edit.options }))
    case 'drop-table':
      return dropTable(state, edit.id)
    case 'add-files':
      return {
        ...state,
        level0: addToLevelZero(
          state.level0,
          edit.files.map((file) => ({ ...file, minTimestamp: timestamp, maxTimestamp: timestamp })),
        ),
      }
    case 'flush':
      return {
        ...state,
        flushedThrough: edit.through,
        level0: addToLevelZero(state.level0, edit.files),
      }
    case 'compact':
      return compact(state, edit)
    case 'gc-floor':
      return { ...state, gcFloor: edit.version }
    case 'pin':
      return { ...state, pins: new Map<string, Pin>(state.pins).set(edit.pin.name, edit.pin) }
    case 'unpin': {
      const pins = new Map(state.pins)
      pins.delete(edit.name)
      return { ...state, pins }
    }
    case 'checkpoint':
      // If two were written at once, the newer stays, even if it was announced first.
      if (state.checkpoint !== undefined && state.checkpoint.version > edit.version) return state
      return { ...state, checkpoint: { version: edit.version, key: edit.key } }
  }
}

function createTable(
  state: DatabaseState,
  { id, name, options }: Of<'create-table'>,
  version: number,
): DatabaseState {
  const table = { id, name, options, createdAt: version, historyFloor: 0, levels: [] }
  return {
    ...state,
    tables: new Map<number, TableState>(state.tables).set(id, table),
    tableIds: new Map<string, number>(state.tableIds).set(name, id),
    nextTableId: id + 1,
  }
}

/**
 * Removes a table and the files of its levels. Files of level 0 stay, since they hold many tables.
 * Records of this table in them are never read, because its id is never reused, and compaction
 * drops them.
 */
function dropTable(state: DatabaseState, id: number): DatabaseState {
  const tables = new Map(state.tables)
  const tableIds = new Map(state.tableIds)
  const table = tables.get(id)
  if (table !== undefined) tableIds.delete(table.name)
  tables.delete(id)
  return { ...state, tables, tableIds }
}

function compact(state: DatabaseState, edit: Of<'compact'>): DatabaseState {
  const removed = new Set(edit.removed)
  const addedByTable = new Map<number, FileMeta[]>()
  const addedToLevelZero: FileMeta[] = []
  for (const { table, file } of edit.added) {
    if (file.level === 0) addedToLevelZero.push(file)
    else {
      const files = addedByTable.get(table) ?? []
      files.push(file)
      addedByTable.set(table, files)
    }
  }
  const floors = new Map(edit.floors.map(({ table, timestamp }) => [table, timestamp]))

  let tables: Map<number, TableState> | undefined
  for (const table of state.tables.values()) {
    const levels = replaceInLevels(table.levels, removed, addedByTable.get(table.id) ?? [])
    const historyFloor = Math.max(table.historyFloor, floors.get(table.id) ?? 0)
    if (levels === table.levels && historyFloor === table.historyFloor) continue
    tables ??= new Map(state.tables)
    tables.set(table.id, { ...table, levels, historyFloor })
  }
  const kept = without(state.level0, removed)
  return {
    ...state,
    tables: tables ?? state.tables,
    level0: addToLevelZero(kept, addedToLevelZero),
  }
}

/** Removes and adds files of levels. A level that doesn't change stays the same array. */
export function replaceInLevels(
  levels: readonly (readonly FileMeta[])[],
  removed: ReadonlySet<string>,
  added: readonly FileMeta[],
): readonly (readonly FileMeta[])[] {
  let changed: (readonly FileMeta[])[] | undefined
  // Not `Math.max(...)`: damaged or hostile bytes may add more files than a call takes arguments.
  const count = added.reduce((most, file) => Math.max(most, file.level), levels.length)
  for (let level = 1; level <= count; level++) {
    const before = levels[level - 1] ?? []
    const fresh = added.filter((file) => file.level === level)
    let after = without(before, removed)
    if (fresh.length > 0) {
      after = [...after, ...fresh].sort((a, b) => compareBytes(a.smallest, b.smallest))
    }
    if (after === before && level <= levels.length) continue
    changed ??= [...levels]
    changed[level - 1] = after
  }
  if (changed === undefined) return levels
  while (changed.length > 0 && (changed.at(-1) as readonly FileMeta[]).length === 0) changed.pop()
  return changed
}

/** The files that aren't removed; the same array if none is. */
function without(files: readonly FileMeta[], removed: ReadonlySet<string>): readonly FileMeta[] {
  if (removed.size === 0 || !files.some((file) => removed.has(file.id))) return files
  return files.filter((file) => !removed.has(file.id))
}

/** Newest first. Among files that are equally new, added files come first, in their own order. */
function addToLevelZero(
  level0: readonly FileMeta[],
  added: readonly FileMeta[],
): readonly FileMeta[] {
  if (added.length === 0) return level0
  return [...added, ...level0].sort((a, b) => b.maxTimestamp - a.maxTimestamp)
}

function withTable(
  state: DatabaseState,
  id: number,
  change: (table: TableState) => TableState,
): DatabaseState {
  const table = state.tables.get(id)
  if (table === undefined) return state
  return { ...state, tables: new Map(state.tables).set(id, change(table)) }
}
