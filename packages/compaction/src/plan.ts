import type { FileMeta } from '@firn/manifest'

/**
 * What to do with some files, as plain data: it can be printed, compared, and sent to a worker or
 * another machine. Made by a strategy from a state, carried out by `runCompaction`.
 */
export type CompactionPlan = MergePlan | MovePlan | DropPlan

interface PlanBase {
  /** Why this, in words, for statistics and logs. No keys. */
  reason: string
}

/** Reads all inputs and writes what is to stay of them. */
export interface MergePlan extends PlanBase {
  type: 'merge'
  /**
   * Groups of input files, newest first. Within a group the files are in key order and don't
   * overlap, so that one of them is read at a time.
   */
  runs: readonly (readonly FileMeta[])[]
  /** Level of the output files; level 0 may hold several tables in one file. */
  outputLevel: number
  targetFileBytes: number
  /** The tables whose records stay. Records of others are of tables that were dropped. */
  tables: readonly PlannedTable[]
  /**
   * Every record at or before this timestamp is in a file. A delete that is newer may hide records
   * that aren't, so it stays.
   */
  flushedTimestamp: number
}

/** Puts files on another level as they are. */
export interface MovePlan extends PlanBase {
  type: 'move'
  files: readonly { table: number; file: FileMeta; toLevel: number }[]
}

/** Removes files that hold nothing but records of dropped tables. */
export interface DropPlan extends PlanBase {
  type: 'drop'
  files: readonly FileMeta[]
}

/** What a merge must know of a table. */
export interface PlannedTable {
  id: number
  compression: 'none' | 'lz4' | 'deflate'
  /** Names of the statistics collectors that output files need. */
  statistics: readonly string[]
  /** Versions superseded at or before this timestamp may go. */
  horizon: number
  /** Puts of each key to keep, whatever their age. */
  versions: number
  /** Live files that aren't inputs: where they overlap a delete, it may hide something in them. */
  others: readonly OtherFile[]
}

export interface OtherFile {
  smallest: Uint8Array
  largest: Uint8Array
  minTimestamp: number
}

/** What a plan did, ready to be committed as a `compact` edit. */
export interface CompactionResult {
  /** Ids of the inputs. */
  removed: string[]
  added: { table: number; file: FileMeta }[]
  /** Tables of which versions were let go, with the least timestamp that reads as before. */
  floors: { table: number; timestamp: number }[]
  bytesRead: number
  bytesWritten: number
  recordsRead: number
  recordsDropped: number
}

/** All files that a plan takes, which no other plan may take meanwhile. */
export function planInputs(plan: CompactionPlan): FileMeta[] {
  if (plan.type === 'merge') return plan.runs.flat()
  if (plan.type === 'move') return plan.files.map(({ file }) => file)
  return [...plan.files]
}

/** A plan in one line: what goes where, and why. */
export function describePlan(plan: CompactionPlan): string {
  const inputs = planInputs(plan)
  const levels = [...new Set(inputs.map(({ level }) => level))].sort((a, b) => a - b)
  const counts = levels.map((level) => {
    const count = inputs.filter((file) => file.level === level).length
    return `${count} of L${level}`
  })
  const what = `${plan.type} ${counts.join(' + ')}`
  if (plan.type === 'drop') return `${what}: ${plan.reason}`
  const to = plan.type === 'merge' ? plan.outputLevel : plan.files[0]?.toLevel
  return `${what} → L${to}: ${plan.reason}`
}
