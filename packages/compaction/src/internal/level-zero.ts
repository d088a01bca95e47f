import { compareBytes } from '@firn/bytes'
import type { FileMeta, TableState } from '@firn/manifest'
import type { CompactionPlan, MovePlan } from '../plan.js'
import { hull, type KeyRange, onlyTableOf, overlaps, rangeInTable } from './key-range.js'
import { bytesOf, type Candidate, type LeveledView } from './leveled-view.js'

/** Most files that one plan takes from level 0: that many cursors are open at once. */
const MAX_MERGED_FILES = 256
/** Most bytes that one plan takes from level 0, in target file sizes. */
const MAX_MERGED_TARGETS = 16
/** Files smaller than this part of the target size are merged rather than moved. */
const SMALL_PART = 4
/** If L1 has more than this many times the bytes of level 0, rewriting it isn't worth it yet. */
const MAX_BELOW = 3

/** Scores level 0 by its number of files: every read looks into each of them. */
export function planLevelZero(view: LeveledView): Candidate[] {
  const free = view.state.level0.filter((file) => view.isFree(file))
  const { level0Trigger, emptyLevel0 } = view.options
  const score = free.length / (emptyLevel0 ? 1 : level0Trigger)
  if (score < 1) return []
  const has = `level 0 has ${view.state.level0.length} files`
  return [
    {
      score,
      plan: () =>
        moveApart(view, free, has) ??
        (isWorthIt(view, free) ? mergeDown(view, free, has) : mergeSmall(view, free, has)) ??
        mergeBlocked(view, free, has),
    },
  ]
}

/** Whether the files are enough to be worth rewriting L1. */
function isWorthIt(view: LeveledView, free: readonly FileMeta[]): boolean {
  if (view.options.emptyLevel0) return true
  if (free.length >= view.options.level0Limit && smallRun(view, free).length === 0) return true
  return bytesBelow(view, free) <= MAX_BELOW * bytesOf(free)
}

/** Moves files of some size that overlap neither each other nor L1: they belong there already. */
function moveApart(
  view: LeveledView,
  free: readonly FileMeta[],
  has: string,
): MovePlan | undefined {
  const { state, options } = view
  const files: MovePlan['files'][number][] = []
  for (const file of free) {
    const id = onlyTableOf(file)
    const table = id === undefined ? undefined : state.tables.get(id)
    if (table === undefined || file.bytes < options.targetFileBytes / SMALL_PART) continue
    if (overlapsAny(file, state.level0, table) || overlapsAny(file, view.level(table, 1), table)) {
      continue
    }
    if (view.isClaimed(table, 1, file)) continue
    files.push({ table: table.id, file, toLevel: 1 })
  }
  if (files.length === 0) return undefined
  return { type: 'move', reason: `${has}; these overlap neither the others nor L1`, files }
}

/** Merges small neighbours into one file of level 0. */
function mergeSmall(
  view: LeveledView,
  free: readonly FileMeta[],
  has: string,
): CompactionPlan | undefined {
  const run = smallRun(view, free)
  if (run.length === 0) return undefined
  const reason = `${has}; these are small beside L1 and merged among themselves`
  return view.merge(
    run.map((file) => [file]),
    0,
    reason,
  )
}

/**
 * The longest run of neighbours in which no file is larger than all newer ones together. So a
 * record is rewritten a logarithmic number of times on its way to a file that is worth L1.
 */
function smallRun(view: LeveledView, free: readonly FileMeta[]): readonly FileMeta[] {
  const { targetFileBytes } = view.options
  // One file alone would be rewritten as it is, for ever.
  const least = Math.max(2, view.options.level0Trigger)
  const isFree = new Set(free)
  const limit = targetFileBytes / SMALL_PART
  let best: FileMeta[] = []
  let run: FileMeta[] = []
  let bytes = 0
  for (const file of view.state.level0) {
    const fits = isFree.has(file) && file.bytes < limit
    const joins = run.length < least - 1 || file.bytes <= bytes
    if (!fits || !joins || run.length === MAX_MERGED_FILES) {
      run = []
      bytes = 0
    }
    if (!fits) continue
    run.push(file)
    bytes += file.bytes
    if (run.length >= least && run.length > best.length) best = run
  }
  return isAsMerged(best, targetFileBytes) ? [] : best
}

/**
 * Whether a merge would return the same files again, and so for ever: they lie side by side, and no
 * two neighbours are sure to fit into one. Output is cut by its size before the last block is
 * compressed, so cut files can be small: for example, if they hold a value larger than the target.
 */
function isAsMerged(files: readonly FileMeta[], targetFileBytes: number): boolean {
  const inOrder = [...files].sort((a, b) => compareBytes(a.smallest, b.smallest))
  return inOrder.every((file, i) => {
    const next = inOrder[i + 1]
    if (next === undefined) return true
    return !overlaps(file, next) && mostBytes(file) + mostBytes(next) >= targetFileBytes
  })
}

/** The size of a file without compression. */
function mostBytes({ bytes, rawKeyBytes, rawValueBytes, tailBytes }: FileMeta): number {
  return Math.max(bytes, rawKeyBytes + rawValueBytes + tailBytes)
}

/**
 * For when L1 is blocked, perhaps by a damaged file: reads cost less if the files of level 0 don't
 * overlap. What counts is their depth: merging files that lie side by side would return the same
 * again.
 */
function mergeBlocked(
  view: LeveledView,
  free: readonly FileMeta[],
  has: string,
): CompactionPlan | undefined {
  if (depthOf(free) < view.options.level0Limit) return undefined
  const run = free.slice(0, MAX_MERGED_FILES).map((file) => [file])
  return view.merge(run, 0, `${has}, and L1 is blocked: merged among themselves`)
}

/** The most files that a read of one key has to look into. */
function depthOf(files: readonly FileMeta[]): number {
  const depths = files.map(
    ({ smallest }) =>
      files.filter((file) => overlaps(file, { smallest, largest: smallest })).length,
  )
  return Math.max(0, ...depths)
}

/** Merges the oldest files, with all of L1 in their key range, into L1. */
function mergeDown(
  view: LeveledView,
  free: readonly FileMeta[],
  has: string,
): CompactionPlan | undefined {
  const taken: FileMeta[] = []
  const limit = MAX_MERGED_TARGETS * view.options.targetFileBytes
  let bytes = 0
  for (const file of [...free].reverse()) {
    if (taken.length === MAX_MERGED_FILES || (taken.length > 0 && bytes + file.bytes > limit)) break
    taken.unshift(file)
    bytes += file.bytes
  }
  const runs: FileMeta[][] = taken.map((file) => [file])
  for (const [table, range] of rangesByTable(view, taken)) {
    const below = view.level(table, 1).filter((file) => overlaps(file, range))
    if (!below.every((file) => view.isFree(file)) || view.isClaimed(table, 1, range)) {
      return undefined
    }
    if (below.length > 0) runs.push(below)
  }
  const { emptyLevel0, level0Trigger } = view.options
  const why = emptyLevel0 ? 'it is to be emptied' : `${level0Trigger} call for a merge`
  return view.merge(runs, 1, `${has}, ${why}`)
}

function bytesBelow(view: LeveledView, files: readonly FileMeta[]): number {
  let sum = 0
  for (const [table, range] of rangesByTable(view, files)) {
    sum += bytesOf(view.level(table, 1).filter((file) => overlaps(file, range)))
  }
  return sum
}

/** The files' range in each table: their merge may write a file across all of it. */
function rangesByTable(view: LeveledView, files: readonly FileMeta[]): Map<TableState, KeyRange> {
  const ranges = new Map<TableState, KeyRange>()
  for (const file of files) {
    for (const table of view.tablesOf(file)) {
      const part = rangeInTable(file, table.id)
      if (part !== undefined) ranges.set(table, hull(ranges.get(table), part))
    }
  }
  return ranges
}

function overlapsAny(file: FileMeta, others: readonly FileMeta[], table: TableState): boolean {
  return others.some((other) => {
    const part = other === file ? undefined : rangeInTable(other, table.id)
    return part !== undefined && overlaps(part, file)
  })
}
