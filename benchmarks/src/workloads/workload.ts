import type { Adapter } from '../adapters/adapter.js'
import type { Dataset } from '../dataset.js'
import type { WorkloadId } from './ids.js'

export type Unit = 'ops/s' | 'rows/s' | 'ms' | 'bytes'

/** One measurement of one workload of one peer. */
export interface Measurement {
  workload: WorkloadId
  unit: Unit
  value: number
  /** How many operations or rows the value was taken over. */
  count: number
}

/** What a group of workloads runs with, in its own process. */
export interface Context {
  readonly adapter: Adapter
  readonly data: Dataset
  /** The group's own database directory. */
  readonly directory: string
  /** True where this run asks for the workload and the peer can do it. */
  wants(workload: WorkloadId): boolean
  /** How many operations to measure, of so many for which there are records. */
  operations(most: number): number
  /** Collects garbage, runs `work` and returns how many milliseconds it took. */
  time(workload: WorkloadId, work: () => Promise<void>): Promise<number>
  report(measurement: Measurement): void
}

/**
 * Workloads that share a process and a database. Of each peer, a group starts with a fresh process
 * so that neither garbage nor compiled code of one peer weighs on another.
 */
export interface Group {
  readonly name: string
  readonly workloads: readonly WorkloadId[]
  /**
   * `empty`: the group starts with no database. `shared`: with the one that the random fill left
   * behind. `copy`: with a copy of it, which it may change.
   */
  readonly database: 'empty' | 'shared' | 'copy'
  run(context: Context): Promise<void>
}

/** Runs `operation(0 … count-1)` with so many of them in flight. */
export async function inFlight(
  clients: number,
  count: number,
  operation: (index: number) => Promise<unknown>,
): Promise<void> {
  let next = 0
  const client = async (): Promise<void> => {
    while (next < count) await operation(next++)
  }
  await Promise.all(Array.from({ length: clients }, client))
}

/** Reports a rate and what it was taken over. */
export async function rate(
  context: Context,
  workload: WorkloadId,
  count: number,
  unit: 'ops/s' | 'rows/s',
  work: () => Promise<void>,
): Promise<void> {
  const ms = await context.time(workload, work)
  context.report({ workload, unit, value: (count / ms) * 1000, count })
}
