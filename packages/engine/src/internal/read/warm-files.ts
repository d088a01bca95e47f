import type { WarmOptions } from '@firn/sst'
import type { WarmReport } from '../../table.js'
import type { OpenFile } from '../files/file-cache.js'
import type { TableView } from '../view/table-view.js'
import { isEmptyRange, type KeyBounds, overlaps } from './key-bounds.js'

// Number of files read in parallel. Each has up to two reads of a MiB under way.
const PARALLEL_FILES = 4

/**
 * Loads the blocks of a range into the caches, from every file that may hold its rows at a moment,
 * and adds up what was read. After a failure, no more reads begin.
 */
export async function warmFiles(
  table: TableView,
  bounds: KeyBounds,
  timestamp: number,
  options: WarmOptions,
  report: WarmReport,
): Promise<void> {
  if (isEmptyRange(bounds)) return
  const files = [...table.level0, ...table.levels]
    .flatMap(({ handles }) => handles)
    .filter(({ meta }) => meta.minTimestamp <= timestamp && overlaps(meta, bounds))
  let next = 0
  let failed = false
  const warm = async (handle: OpenFile): Promise<void> => {
    for await (const read of handle.warm(bounds.lower.key, bounds.upper.key, options)) {
      report.blocks += read.blocks
      report.bytes += read.bytes
      report.records += read.records
      if (failed) return
    }
  }
  const work = async (): Promise<void> => {
    try {
      for (let file = files[next++]; file !== undefined && !failed; file = files[next++]) {
        options.signal?.throwIfAborted()
        await warm(file)
      }
    } catch (error) {
      failed = true
      throw error
    }
  }
  const results = await Promise.allSettled(Array.from({ length: PARALLEL_FILES }, work))
  for (const result of results) if (result.status === 'rejected') throw result.reason
}
