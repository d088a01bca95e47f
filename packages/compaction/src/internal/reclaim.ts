import type { FileMeta } from '@firn/manifest'
import type { DropPlan, MergePlan } from '../plan.js'
import type { LeveledView } from './leveled-view.js'

/** From this share of deletes on, a file is worth rewriting without them. */
const MANY_DELETES = 0.25

/** Files that hold nothing but records of dropped tables. */
export function planDropped(view: LeveledView): DropPlan | undefined {
  // Includes unreadable files: dropping them needs no reading.
  const { busy } = view.options
  const files = view.state.level0.filter(
    (file) => !busy.has(file.id) && view.tablesOf(file).length === 0,
  )
  if (files.length === 0) return undefined
  return { type: 'drop', reason: 'all tables in these files were dropped', files }
}

/**
 * Rewrites a file with many deletes if all of them go: they are old enough, and no other file holds
 * anything older in its range. So it is planned only once, as the new file has no deletes.
 */
export function planRewrite(view: LeveledView): MergePlan | undefined {
  let best: FileMeta | undefined
  for (const table of view.state.tables.values()) {
    const { history } = table.options
    // A history limited by count keeps deletes together with the puts it keeps.
    if (typeof history === 'object' && 'versions' in history) continue
    const through = view.deletesThrough(table)
    for (const file of table.levels.flat()) {
      if (!view.isFree(file) || file.deletes < MANY_DELETES * file.records) continue
      if (file.deletes === 0 || file.maxTimestamp > through) continue
      if (best !== undefined && file.deletes <= best.deletes) continue
      const others = view.othersIn(table, file, new Set([file]))
      if (others.some(({ minTimestamp }) => minTimestamp < file.maxTimestamp)) continue
      best = file
    }
  }
  if (best === undefined) return undefined
  const reason = `${best.deletes} of ${best.records} records are deletes that hide nothing any more`
  return view.merge([[best]], best.level, reason)
}
