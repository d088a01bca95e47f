import type { DatabaseState, FileMeta, TableState } from '@firn/manifest'
import { tableIdAt } from '@firn/mvcc'
import type { TableInfo } from '../../table-info.js'
import type { Memtable } from '../memtable/memtable.js'

/** Describes a table for listings. */
export function tableInfo(
  table: TableState,
  state: DatabaseState,
  memtables: readonly Memtable[],
): TableInfo {
  const shared = state.level0.filter(
    ({ smallest, largest }) =>
      tableIdAt(smallest, 0) <= table.id && table.id <= tableIdAt(largest, 0),
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
  return tableIdAt(smallest, 0) === tableIdAt(largest, 0)
}

/** Returns the names of the tables whose records a file may hold. */
export function tablesIn({ smallest, largest }: FileMeta, state: DatabaseState): string[] {
  return [...state.tables.values()]
    .filter(({ id }) => tableIdAt(smallest, 0) <= id && id <= tableIdAt(largest, 0))
    .map(({ name }) => name)
}
