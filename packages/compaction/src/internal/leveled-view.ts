import type { DatabaseState, FileMeta, TableState } from '@firn/manifest'
import { horizonOf, tableIdOf, versionsOf } from '@firn/mvcc'
import type { ResolvedLeveledOptions } from '../leveled.js'
import type { CompactionPlan, MergePlan, OtherFile, PlannedTable } from '../plan.js'
import { hull, type KeyRange, onlyTableOf, overlaps, rangeInTable } from './key-range.js'

/** A possible compaction and how much it is needed: from 1 on, it is needed. */
export interface Candidate {
  score: number
  /** Returns `undefined` if it is blocked. */
  plan: () => CompactionPlan | undefined
}

/** A state as the leveled strategy sees it. */
export class LeveledView {
  readonly state: DatabaseState
  readonly options: ResolvedLeveledOptions
  readonly #heldBy: number[]

  constructor(state: DatabaseState, options: ResolvedLeveledOptions) {
    this.state = state
    this.options = options
    // A pin's end is compared with the log's own time, as the manifest does.
    const pins = [...state.pins.values()].filter(
      ({ expiresAt }) => expiresAt === undefined || expiresAt > state.timestamp,
    )
    this.#heldBy = [...options.heldBy, ...pins.map(({ timestamp }) => timestamp)]
  }

  /** Whether a plan may take the file. */
  isFree(file: FileMeta): boolean {
    return !this.options.busy.has(file.id) && !this.options.poisoned.has(file.id)
  }

  level(table: TableState, level: number): readonly FileMeta[] {
    return table.levels[level - 1] ?? []
  }

  /** The live tables that may have records in the file. */
  tablesOf(file: FileMeta): TableState[] {
    const only = onlyTableOf(file)
    if (only !== undefined) {
      const table = this.state.tables.get(only)
      return table === undefined ? [] : [table]
    }
    const first = tableIdOf(file.smallest)
    const last = tableIdOf(file.largest)
    return [...this.state.tables.values()].filter(({ id }) => id >= first && id <= last)
  }

  /**
   * Whether a plan under way may write to that level within the range: its outputs can span
   * everything between its inputs.
   */
  isClaimed(table: TableState, level: number, range: KeyRange): boolean {
    const { busy } = this.options
    if (busy.size === 0) return false
    let claimed: KeyRange | undefined
    const above = level === 1 ? this.state.level0 : this.level(table, level - 1)
    for (const file of [...above, ...this.level(table, level)]) {
      const part = busy.has(file.id) ? rangeInTable(file, table.id) : undefined
      if (part !== undefined) claimed = hull(claimed, part)
    }
    return claimed !== undefined && overlaps(claimed, range)
  }

  /** Builds a merge plan with everything that its execution needs. */
  merge(runs: readonly (readonly FileMeta[])[], outputLevel: number, reason: string): MergePlan {
    const { state } = this
    const inputs = new Set(runs.flat())
    const tables = new Map<number, TableState>()
    for (const file of inputs) for (const table of this.tablesOf(file)) tables.set(table.id, table)
    return {
      type: 'merge',
      reason,
      runs,
      outputLevel,
      targetFileBytes: this.options.targetFileBytes,
      tables: [...tables.values()]
        .sort((a, b) => a.id - b.id)
        .map((table) => this.#plannedTable(table, inputs)),
      flushedTimestamp: this.#flushedTimestamp(state),
    }
  }

  /** Versions superseded at or before this timestamp may go. */
  horizon(table: TableState): number {
    const given = this.options.horizons?.get(table.id)
    if (given !== undefined) return Math.min(given, ...this.#heldBy)
    return horizonOf(table.options.history, this.options.now, this.#heldBy)
  }

  /** The latest timestamp at which a delete of the table may go. */
  deletesThrough(table: TableState): number {
    return Math.min(this.horizon(table), this.#flushedTimestamp(this.state))
  }

  /** Live files of the table, other than `inputs`, that may hold something in the range. */
  othersIn(table: TableState, range: KeyRange, inputs: ReadonlySet<FileMeta>): OtherFile[] {
    const others: OtherFile[] = []
    const look = (file: FileMeta) => {
      if (inputs.has(file)) return
      const part = rangeInTable(file, table.id)
      if (part !== undefined && overlaps(part, range)) {
        others.push({ ...part, minTimestamp: file.minTimestamp })
      }
    }
    for (const file of this.state.level0) look(file)
    for (const level of table.levels) for (const file of level) look(file)
    return others
  }

  #plannedTable(table: TableState, inputs: ReadonlySet<FileMeta>): PlannedTable {
    const { options } = table
    let range: KeyRange | undefined
    let deletes = 0
    for (const file of inputs) {
      const part = rangeInTable(file, table.id)
      if (part === undefined) continue
      range = hull(range, part)
      deletes += file.deletes
    }
    const asked = deletes > 0 && range !== undefined
    return {
      id: table.id,
      compression: options.compression,
      statistics: options.statistics,
      horizon: this.horizon(table),
      versions: versionsOf(options.history),
      // Only deletes ask for these.
      others: asked ? this.othersIn(table, range as KeyRange, inputs) : [],
    }
  }

  #flushedTimestamp(state: DatabaseState): number {
    const { flushedTimestamp } = this.options
    if (flushedTimestamp !== undefined) return Math.min(flushedTimestamp, state.timestamp)
    return state.flushedThrough === state.version ? state.timestamp : 0
  }
}

export function bytesOf(files: readonly FileMeta[]): number {
  return files.reduce((sum, file) => sum + file.bytes, 0)
}
