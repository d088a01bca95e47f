import type { FileMeta } from '@firn/manifest'

/**
 * A plan for some files, as plain data: it can be printed, compared, and sent to a worker or
 * another machine. A strategy makes it from a state; `runCompaction` carries it out.
 */
export type CompactionPlan = MergePlan | MovePlan | DropPlan

interface PlanBase {
  /** The reason in words, for statistics and logs. Contains no keys. */
  reason: string
}

/** Reads all inputs and writes the records that stay. */
export interface MergePlan extends PlanBase {
  type: 'merge'
  /**
   * Groups of input files, newest first. Files of a group are in key order and don't overlap, so
   * one of them is read at a time.
   */
  runs: readonly (readonly FileMeta[])[]
  /** Level of the output files; level 0 may hold several tables in one file. */
  outputLevel: number
  targetFileBytes: number
  /** The tables whose records stay. All other tables were dropped. */
  tables: readonly PlannedTable[]
  /**
   * Every record at or before this timestamp is in a file. A newer delete stays, as it may hide
   * records that aren't in a file yet.
   */
  flushedTimestamp: number
}

/** Moves files to another level without rewriting them. */
export interface MovePlan extends PlanBase {
  type: 'move'
  files: readonly { table: number; file: FileMeta; toLevel: number }[]
}

/** Removes files that hold nothing but records of dropped tables. */
export interface DropPlan extends PlanBase {
  type: 'drop'
  files: readonly FileMeta[]
}

/** The facts about a table that a merge needs. */
export interface PlannedTable {
  id: number
  compression: 'none' | 'lz4' | 'deflate'
  /** Names of the statistics collectors that output files need. */
  statistics: readonly string[]
  /** Versions superseded at or before this timestamp may go. */
  horizon: number
  /** Puts of each key to keep, whatever their age. */
  versions: number
  /** Live files that aren't inputs. A delete that overlaps one may hide something in it. */
  others: readonly OtherFile[]
}

export interface OtherFile {
  smallest: Uint8Array
  largest: Uint8Array
  minTimestamp: number
}

/** The result of a plan, ready to be committed as a `compact` edit. */
export interface CompactionResult {
  /** Ids of the inputs. */
  removed: string[]
  added: { table: number; file: FileMeta }[]
  /** Tables that lost versions, each with the least timestamp that still reads as before. */
  floors: { table: number; timestamp: number }[]
  bytesRead: number
  bytesWritten: number
  recordsRead: number
  recordsDropped: number
}

/** All files that a plan takes. No other plan may take them meanwhile. */
export function planInputs(plan: CompactionPlan): FileMeta[] {
  if (plan.type === 'merge') return plan.runs.flat()
  if (plan.type === 'move') return plan.files.map(({ file }) => file)
  return [...plan.files]
}

/** Describes a plan in one line: what goes where, and why. */
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
