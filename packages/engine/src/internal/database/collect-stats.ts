import type { DatabaseState, FileMeta } from '@firn/manifest'
import type { DatabaseStats, LevelStats } from '../../stats.js'
import type { WritePressure } from '../commit/write-pressure.js'
import { tableInfo } from '../view/table-summary.js'
import type { DatabaseHandleParts } from './database-parts.js'

/** Computes the result of `db.stats()` from memory, without any read. */
export function databaseStats(parts: DatabaseHandleParts): DatabaseStats {
  const { versions, cache, files, writing } = parts
  const { state, immutables, active } = versions
  const memtables = [active, ...immutables]
  const logBytes = writing?.committer.totals.bytes ?? 0
  const flushed = writing?.flusher.totals ?? { flushes: 0, bytesWritten: 0 }
  const compacted = writing?.compactor.totals ?? NO_COMPACTIONS
  return {
    version: versions.visibleVersion,
    timestamp: versions.visibleTimestamp,
    tables: [...state.tables.values()].map((table) => tableInfo(table, state, memtables)),
    levels: levelStats(state),
    memtables: {
      count: memtables.length,
      bytes: versions.memtableBytes,
      records: memtables.reduce((sum, memtable) => sum + memtable.records, 0),
    },
    flushedThrough: state.flushedThrough,
    cache: {
      ...cache.stats(),
      readerBytes: files.readerBytes,
      openFiles: files.openFiles,
      disk: files.disk?.stats(),
    },
    log: { appendedEntries: writing?.committer.totals.entries ?? 0, appendedBytes: logBytes },
    flushes: { count: flushed.flushes, bytesWritten: flushed.bytesWritten },
    compactions: {
      count: compacted.compactions,
      filesIn: compacted.filesIn,
      filesOut: compacted.filesOut,
      running: writing?.compactor.running ?? false,
      bytesRead: compacted.bytesRead,
      bytesWritten: compacted.bytesWritten,
      failures: writing?.compactor.failures ?? 0,
      skipped: writing?.compactor.skipped ?? [],
    },
    commitMerges: { ...(writing?.files.merges ?? NO_MERGES) },
    requests: parts.requests(),
    writes: writeStats(writing?.pressure),
    amplification: {
      write: logBytes === 0 ? 0 : (flushed.bytesWritten + compacted.bytesWritten) / logBytes,
      read: memtables.length + versions.view.level0Runs + deepestLevel(state),
      space: spaceAmplification(state),
    },
  }
}

const NO_COMPACTIONS = { compactions: 0, filesIn: 0, filesOut: 0, bytesRead: 0, bytesWritten: 0 }
const NO_MERGES = { count: 0, filesIn: 0, filesOut: 0, bytesRead: 0, bytesWritten: 0 }

function writeStats(pressure: WritePressure | undefined): DatabaseStats['writes'] {
  if (pressure === undefined) return { slowdowns: 0, stops: 0 }
  const { slowdowns, stops, blockedBy: by, waiting } = pressure
  return { slowdowns, stops, stopped: by === undefined ? undefined : { by, waiting } }
}

function levelStats(state: DatabaseState): LevelStats[] {
  const levels: LevelStats[] = [summarize(0, state.level0)]
  for (let level = 1; level <= deepestLevel(state); level++) {
    const files = [...state.tables.values()].flatMap((table) => table.levels[level - 1] ?? [])
    levels.push(summarize(level, files))
  }
  return levels
}

function summarize(level: number, files: readonly FileMeta[]): LevelStats {
  const sum = (of: (file: FileMeta) => number): number => files.reduce((s, f) => s + of(f), 0)
  return {
    level,
    files: files.length,
    bytes: sum((file) => file.bytes),
    records: sum((file) => file.records),
    deletes: sum((file) => file.deletes),
  }
}

function deepestLevel(state: DatabaseState): number {
  let deepest = 0
  for (const { levels } of state.tables.values()) {
    levels.forEach((files, i) => {
      if (files.length > 0) deepest = Math.max(deepest, i + 1)
    })
  }
  return deepest
}

/** Divides the bytes of all files by those of the tables' last levels; 1 while no level exists. */
function spaceAmplification(state: DatabaseState): number {
  let all = summarize(0, state.level0).bytes
  let last = 0
  for (const { levels } of state.tables.values()) {
    const bytes = levels.map((files) => summarize(0, files).bytes)
    all += bytes.reduce((a, b) => a + b, 0)
    last += bytes.findLast((b) => b > 0) ?? 0
  }
  return last === 0 ? 1 : all / last
}
