/**
 * `durable` (default): resolves when the commit survives a crash. `buffered`: resolves when this
 * process sees it; durable at the next durable commit, `flush()` or `close()`.
 */
export type Durability = 'durable' | 'buffered'

export interface WriteOptions {
  durability?: Durability
  /** Aborts the wait. A commit that is under way may still happen. */
  signal?: AbortSignal
}

/**
 * Where a write stands in the log. Writes that were made while an earlier commit was under way
 * share one commit, and so one version.
 */
export interface Commit {
  readonly version: number
  /** Microseconds since the epoch. */
  readonly timestamp: number
}
