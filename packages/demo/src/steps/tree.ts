import type { Database, DatabaseStats } from '@firn/engine'
import type { Terminal } from '../terminal.js'
import { count, megabytes } from '../units.js'

/** Prints the shape of the tree, level by level. */
export async function showTree(db: Database, out: Terminal): Promise<DatabaseStats> {
  out.heading('The shape of the tree')
  const stats = await db.stats()
  const { memtables } = stats
  const levels = stats.levels.filter((level) => level.files > 0)
  out.table(
    ['', 'files', 'size', 'records'],
    [
      ['memtables', count(memtables.count), megabytes(memtables.bytes), count(memtables.records)],
      ...levels.map((level) => [
        `level ${level.level}`,
        count(level.files),
        megabytes(level.bytes),
        count(level.records),
      ]),
    ],
  )
  out.line()
  out.table(
    ['table', 'keys', 'values', 'history'],
    stats.tables.map((table) => [
      table.name,
      table.keys,
      table.values,
      typeof table.history === 'string' ? table.history : historyText(table.history),
    ]),
  )
  out.line()
  out.line(
    `Version ${count(stats.version)}; ${megabytes(stats.cache.usedBytes)} in the cache; ` +
      `a point read searches at most ${count(stats.amplification.read)} places.`,
  )
  return stats
}

function historyText(history: { durationMs: number } | { versions: number }): string {
  if ('versions' in history) return `${count(history.versions)} versions`
  return `${count(history.durationMs / 3_600_000)} h`
}
