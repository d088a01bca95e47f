import type { CloudWorkloadId } from './workloads.js'

/** Workloads that share a process; the later ones read what `load` left behind. */
export type StepName = 'writes' | 'load' | 'open' | 'cold-reads' | 'scan' | 'idle'

/** What one child process does. */
export interface CloudTask {
  peer: string
  step: StepName
  /** `s3://bucket/prefix` of the database. */
  location: string
  /** Records that are loaded. */
  keys: number
  idleSeconds: number
}

/** One measured section, as the child saw it. */
export interface Section {
  workload: CloudWorkloadId
  operations: number
  /** Of the whole section. */
  ms: number
  /** Of one operation, where they were made one at a time. */
  medianMs?: number
  /** What the peer itself counted. */
  own?: { requests: number; dollars: number }
}

/** What a child tells its parent, which answers some of it when it is seen to. */
export type CloudMessage =
  | { type: 'loaded'; version: string }
  | { type: 'missing'; reason: string }
  /** A measured section begins. Answered, as the next two. */
  | { type: 'begin' }
  /** It is over. */
  | { type: 'end'; section: Section }
  /** To be answered when nothing was written for so long. */
  | { type: 'quiet'; forMs: number }
  | { type: 'done' }
  | { type: 'failed'; reason: string }
