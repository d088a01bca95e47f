import type { Machine } from './machine.js'
import type { WorkloadId } from './workloads/ids.js'
import type { Unit } from './workloads/workload.js'

/** One peer's measurements of one workload, over all runs. */
export interface Cell {
  unit: Unit
  /** How many operations or rows each value was taken over. */
  count: number
  values: number[]
  median: number
  min: number
  max: number
}

/** Why there are no measurements. */
export interface Gap {
  missing: string
}

export interface PeerResult {
  name: string
  version: string
  native: boolean
  settings: string
  /** Peak resident memory of each group's process, the largest of all runs. */
  peakRssBytes: Record<string, number>
  cells: Partial<Record<WorkloadId, Cell | Gap>>
}

/** The content of `results/*.json`. */
export interface Results {
  format: 1
  measuredAt: string
  machine: Machine
  keys: number
  keyBytes: number
  valueBytes: number
  runs: number
  /** Of the last minute when each run began: what else the machine was doing. */
  loadAverages?: number[]
  peers: PeerResult[]
}

export function isGap(cell: Cell | Gap | undefined): cell is Gap {
  return cell !== undefined && 'missing' in cell
}

export function makeCell(unit: Unit, count: number, values: number[]): Cell {
  const sorted = [...values].sort((a, b) => a - b)
  const at = (index: number): number => sorted[index] ?? 0
  const middle = (sorted.length - 1) / 2
  return {
    unit,
    count,
    values,
    median: (at(Math.floor(middle)) + at(Math.ceil(middle))) / 2,
    min: at(0),
    max: at(sorted.length - 1),
  }
}

/** True where more is better. */
export function higherIsBetter(unit: Unit): boolean {
  return unit === 'ops/s' || unit === 'rows/s'
}
