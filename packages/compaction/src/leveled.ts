import type { DatabaseState } from '@firn/manifest'
import { planDeeper } from './internal/deeper-levels.js'
import { planLevelZero } from './internal/level-zero.js'
import { type Candidate, LeveledView } from './internal/leveled-view.js'
import { planDropped, planRewrite } from './internal/reclaim.js'
import type { CompactionPlan } from './plan.js'

const MIB = 1024 * 1024

export interface LeveledOptions {
  /** Wall-clock time in microseconds, for history that ends with age. */
  now: number
  /** Files that other plans have taken; their outputs are yet to come. */
  busy?: ReadonlySet<string>
  /** Files that can't be read, and are left alone. */
  poisoned?: ReadonlySet<string>
  /** Timestamps that somebody reads at (snapshots); the state's pins are known. */
  heldBy?: readonly number[]
  /** Horizons that take the place of those that follow from tables' history options and `now`. */
  horizons?: ReadonlyMap<number, number>
  /**
   * Every record at or before this timestamp is in a file. Where it isn't said, deletes go only
   * when the state's whole log has been flushed.
   */
  flushedTimestamp?: number
  /** Files from which on level 0 is worked on. Default 4. */
  level0Trigger?: number
  /** Merge level 0 down until it is empty, whatever that costs: somebody asked for it. */
  emptyLevel0?: boolean
  /**
   * Files at which level 0 is merged into L1 even where most of the work would be L1's. Default 12.
   */
  level0Limit?: number
  /** What L1 of a table may hold, at most. Default 64 MiB. */
  levelBaseBytes?: number
  /** By how many times each level may hold more than the one above. Default 10. */
  multiplier?: number
  /** Size at which an output file ends. Default 32 MiB. */
  targetFileBytes?: number
  /** The deepest level. Default 6. */
  maxLevel?: number
}

export type ResolvedLeveledOptions = Required<
  Omit<LeveledOptions, 'horizons' | 'flushedTimestamp'>
> &
  Pick<LeveledOptions, 'horizons' | 'flushedTimestamp'>

/**
 * Leveled compaction: what to do next with a state, or `undefined` when it is in shape. Pure: the
 * same state and options give the same plan.
 *
 * 1. Files of dropped tables alone are dropped.
 * 2. Level 0 scores its files over the trigger, a table's level its bytes over what it may hold.
 *    The highest score of 1 or more is worked on, the next one where that is blocked.
 * 3. Level 0: files that overlap nothing are moved to L1 as they are; the others go to L1, oldest
 *    first, unless L1 is so much larger that most of the work would be writing it again. Then small
 *    ones are merged among themselves, and the rest waits.
 * 4. L1 … L5: a level may hold a tenth of the next one, counted from the bottom, and never more
 *    than its share of the base: so a tree of any size takes little more space than its last level.
 *    The file that overlaps least of the next level, for its size, is merged into it, or moved
 *    where it overlaps nothing.
 * 5. A file of deletes that hide nothing any more is written again without them.
 *
 * Output never overlaps a file of its level that stays, nor what a plan under way may still put
 * there. Correctness doesn't depend on the order of levels in time: records are merged by
 * timestamp, and a delete stays while any other file could hold something older.
 */
export function planLeveled(
  state: DatabaseState,
  options: LeveledOptions,
): CompactionPlan | undefined {
  const view = new LeveledView(state, resolve(options))
  const dropped = planDropped(view)
  if (dropped !== undefined) return dropped
  const candidates: Candidate[] = [...planLevelZero(view), ...planDeeper(view)]
  candidates.sort((a, b) => b.score - a.score)
  for (const { score, plan } of candidates) {
    const made = score >= 1 ? plan() : undefined
    if (made !== undefined) return made
  }
  return planRewrite(view)
}

function resolve(options: LeveledOptions): ResolvedLeveledOptions {
  return {
    busy: new Set(),
    poisoned: new Set(),
    heldBy: [],
    level0Trigger: 4,
    level0Limit: 12,
    emptyLevel0: false,
    levelBaseBytes: 64 * MIB,
    multiplier: 10,
    targetFileBytes: 32 * MIB,
    maxLevel: 6,
    ...options,
  }
}
