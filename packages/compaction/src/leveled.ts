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
  /** Files taken by other plans, whose outputs don't exist yet. */
  busy?: ReadonlySet<string>
  /** Files that can't be read, and are left alone. */
  poisoned?: ReadonlySet<string>
  /**
   * Timestamps still being read at (snapshots). The state's pins are known and needn't be listed.
   */
  heldBy?: readonly number[]
  /** Horizons that replace the ones derived from tables' history options and `now`. */
  horizons?: ReadonlyMap<number, number>
  /**
   * Every record at or before this timestamp is in a file. Without it, deletes go only when the
   * state's whole log has been flushed.
   */
  flushedTimestamp?: number
  /** Number of files at which compaction of level 0 begins. Default 4. */
  level0Trigger?: number
  /** Merge level 0 down until it is empty, whatever the cost: for a caller that asked for it. */
  emptyLevel0?: boolean
  /**
   * Number of files at which level 0 is merged into L1 even if most of the work is rewriting L1.
   * Default 12.
   */
  level0Limit?: number
  /** The most that a table's L1 may hold, in bytes. Default 64 MiB. */
  levelBaseBytes?: number
  /** How many times more each level may hold than the one above. Default 10. */
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
 * Plans the next step of leveled compaction; `undefined` if the state is in shape. Pure: equal
 * states and options return equal plans.
 *
 * 1. Files that hold only dropped tables are dropped.
 * 2. Level 0 is scored by its number of files over the trigger, a table's level by its bytes over
 *    its limit. The highest score of 1 or more is worked on; if that is blocked, the next one.
 * 3. Level 0: files that overlap nothing are moved to L1 as they are. The others are merged into
 *    L1, oldest first, unless L1 is so much larger that most of the work would be rewriting it.
 *    Then small files are merged among themselves, and the rest waits.
 * 4. L1 … L5: a level may hold a tenth of the next one, counted from the bottom, and never more
 *    than its share of the base, so that a tree of any size takes little more space than its last
 *    level. The file that overlaps least of the next level, relative to its size, is merged into
 *    it, or moved if it overlaps nothing.
 * 5. A file with deletes that hide nothing any more is rewritten without them.
 *
 * Output never overlaps a file of its level that stays, nor anything a plan under way may still
 * write there. Correctness doesn't depend on the order of levels in time: records are merged by
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
