import type { Prices } from '../../../packages/engine/dist/index.js'
import type { Machine } from '../machine.js'
import type { Counts } from './bill.js'
import type { Delays } from './services.js'
import type { CloudWorkloadId } from './workloads.js'

/** One workload of one peer: a measure for each run. */
export interface CloudCell {
  measures: {
    operations: number
    /** Of the whole section. */
    ms: number
    /** Of one operation, where they were made one at a time. */
    medianMs?: number
    counts: Counts
    dollars: number
    /** What the peer itself counted. */
    own?: { requests: number; dollars: number }
  }[]
}

export interface CloudPeerResult {
  name: string
  version: string
  settings: string
  /** Why nothing was measured. */
  missing?: string
  /** Steps that didn't end, and why. */
  failures?: string[]
  cells: Partial<Record<CloudWorkloadId, CloudCell>>
}

/** The content of `results/cloud.json`. */
export interface CloudResults {
  format: 1
  kind: 'cloud'
  measuredAt: string
  machine: Machine
  services: { s3: string; dynamodb: string }
  prices: Prices
  delaysMs: Delays
  keys: number
  keyBytes: number
  valueBytes: number
  runs: number
  idleSeconds: number
  /** Of the last minute when each run began. */
  loadAverages: number[]
  peers: CloudPeerResult[]
}
