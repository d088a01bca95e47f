import type { TableState } from '@firn/manifest'
import type { TableInfo } from '../table-info.js'

/** A table as it is listed. */
export function tableInfo(table: TableState): TableInfo {
  const files = table.levels.flat()
  const { keys, values, history, compression, compaction } = table.options
  return {
    name: table.name,
    keys,
    values,
    history,
    compression,
    compaction,
    bytes: files.reduce((sum, file) => sum + file.bytes, 0),
    records: files.reduce((sum, file) => sum + file.records, 0),
    files: files.length,
  }
}
