import type { WorkloadId } from './workloads/ids.js'
import type { Measurement } from './workloads/workload.js'

/** What one child process does: one group of workloads of one peer. */
export interface Task {
  peer: string
  group: string
  keys: number
  directory: string
  workloads: WorkloadId[]
  /** Where to write a CPU profile of this workload's measured time. */
  profile?: { workload: WorkloadId; file: string }
}

/** What a child tells its parent. */
export type Message =
  | { type: 'loaded'; version: string }
  | { type: 'missing'; reason: string }
  | { type: 'measured'; measurement: Measurement }
  | { type: 'done'; peakRssBytes: number }
  | { type: 'failed'; reason: string }
