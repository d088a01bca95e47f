import type { FileMeta, TableState } from '@firn/manifest'
import type { CompactionPlan, MovePlan } from '../plan.js'
import { hull, type KeyRange, overlaps } from './key-range.js'
import { bytesOf, type Candidate, type LeveledView } from './leveled-view.js'

/** The limit of L1 is at least the base divided by this, however small the table. */
const MIN_BASE_PART = 4

/** Scores a table's levels by their bytes over their limits. */
export function planDeeper(view: LeveledView): Candidate[] {
  const { maxLevel } = view.options
  const candidates: Candidate[] = []
  for (const table of view.state.tables.values()) {
    for (let level = 1; level < maxLevel; level++) {
      const limit = limitOf(view, table, level)
      const free = view.level(table, level).filter((file) => view.isFree(file))
      const excess = bytesOf(free) - limit
      if (excess <= 0) continue
      const has = `table ${table.id}: L${level} holds ${size(bytesOf(free))}, may hold ${size(limit)}`
      candidates.push({
        score: 1 + excess / limit,
        plan: () =>
          moveDown(view, table, level, free, excess, has) ??
          mergeDown(view, table, level, free, has),
      })
    }
  }
  return candidates
}

/** How much a level may hold, from its share of the last level and of the base. */
function limitOf(view: LeveledView, table: TableState, level: number): number {
  const { levelBaseBytes, multiplier } = view.options
  const most = levelBaseBytes * multiplier ** (level - 1)
  const last = table.levels.length
  if (last <= level) return most
  const share = bytesOf(view.level(table, last)) / multiplier ** (last - level)
  return Math.max(Math.min(most, share), levelBaseBytes / MIN_BASE_PART)
}

/**
 * Moves down files that overlap nothing below, oldest first, until the level is within its limits.
 */
function moveDown(
  view: LeveledView,
  table: TableState,
  level: number,
  free: readonly FileMeta[],
  excess: number,
  has: string,
): MovePlan | undefined {
  const files: MovePlan['files'][number][] = []
  let moved = 0
  for (const file of oldestFirst(free)) {
    if (moved >= excess) break
    if (view.level(table, level + 1).some((other) => overlaps(other, file))) continue
    if (view.isClaimed(table, level + 1, file)) continue
    files.push({ table: table.id, file, toLevel: level + 1 })
    moved += file.bytes
  }
  if (files.length === 0) return undefined
  return { type: 'move', reason: `${has}; these overlap nothing of L${level + 1}`, files }
}

/** Merges the file that rewrites the least of the next level, relative to its own size. */
function mergeDown(
  view: LeveledView,
  table: TableState,
  level: number,
  free: readonly FileMeta[],
  has: string,
): CompactionPlan | undefined {
  let best: { file: FileMeta; below: FileMeta[]; ratio: number } | undefined
  for (const file of oldestFirst(free)) {
    const below = view.level(table, level + 1).filter((other) => overlaps(other, file))
    if (!below.every((other) => view.isFree(other))) continue
    const ratio = bytesOf(below) / file.bytes
    if (best !== undefined && ratio >= best.ratio) continue
    const range = below.reduce<KeyRange>((sum, other) => hull(sum, other), file)
    if (view.isClaimed(table, level + 1, range)) continue
    best = { file, below, ratio }
  }
  if (best === undefined) return undefined
  return view.merge([[best.file], best.below], level + 1, has)
}

function oldestFirst(files: readonly FileMeta[]): FileMeta[] {
  return [...files].sort((a, b) => a.maxTimestamp - b.maxTimestamp)
}

function size(bytes: number): string {
  const mib = bytes / 2 ** 20
  return mib >= 0.1 ? `${mib.toFixed(1)} MiB` : `${bytes} bytes`
}
