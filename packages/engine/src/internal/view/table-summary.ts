import type { DatabaseState, FileMeta, TableState } from '@firn/manifest'
import type { TableInfo } from '../../table-info.js'
import type { Memtable } from '../memtable/memtable.js'
import { prefixOf } from './view.js'

/** A table as it is listed. */
export function tableInfo(
  table: TableState,
  state: DatabaseState,
  memtables: readonly Memtable[],
): TableInfo {
  const shared = state.level0.filter(
    ({ smallest, largest }) => prefixOf(smallest) <= table.id && table.id <= prefixOf(largest),
  )
  const files = [...shared, ...table.levels.flat()]
  const { keys, values, history, compression, compaction } = table.options
  const inMemory = memtables.flatMap((memtable) => memtable.tables.get(table.id) ?? [])
  const memory = {
    records: inMemory.reduce((sum, part) => sum + part.versionCount, 0),
    bytes: inMemory.reduce((sum, part) => sum + part.memoryBytes, 0),
  }
  return {
    name: table.name,
    keys,
    values,
    history,
    compression,
    compaction,
    files: files.length,
    bytes: files.reduce((sum, file) => sum + file.bytes, 0),
    records: files.reduce((sum, file) => sum + file.records, memory.records),
    exact: shared.every(isOfOneTable),
    memtables: memory,
  }
}

function isOfOneTable({ smallest, largest }: FileMeta): boolean {
  return prefixOf(smallest) === prefixOf(largest)
}

/** The names of the tables that a file may hold records of. */
export function tablesIn({ smallest, largest }: FileMeta, state: DatabaseState): string[] {
  return [...state.tables.values()]
    .filter(({ id }) => prefixOf(smallest) <= id && id <= prefixOf(largest))
    .map(({ name }) => name)
}
