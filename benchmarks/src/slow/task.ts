/** What one process of the scene does. */
export interface SlowTask {
  /** Which process it is, from 0. */
  id: number
  directory: string
  seed: number
  /** How long it writes. */
  seconds: number
  replies: Replies
}

/** How long the store's replies take, in milliseconds. */
export interface Replies {
  /** Of each reply, half of it to one and a half of it. */
  usualMs: number
  /** The share of replies that are late, from 0 to 1. */
  lateShare: number
  /** How much later those are, at least and at most. */
  lateMs: readonly [number, number]
}

/** What one process did. */
export interface SlowReport {
  id: number
  /** How long each small commit took, in milliseconds. */
  commitMs: number[]
  /** The same of each transaction that read and wrote, all its attempts together. */
  transactionMs: number[]
  /** Numbers of the commits that were acknowledged; each is a record of its own. */
  commits: number[]
  /** The elements that acknowledged transactions appended, by list. */
  appended: Record<string, string[]>
  /** Elements of which it isn't known whether they were appended. */
  unknown: string[]
  /** Failures by their code. */
  failures: Record<string, number>
  requests: number
  lateReplies: number
}

export type SlowMessage =
  | { type: 'ready' }
  | { type: 'report'; report: SlowReport }
  | { type: 'failed'; reason: string }
