/**
 * `durable` (default): resolves when the commit survives a crash of the machine.
 *
 * `buffered`: resolves when this process sees it. In a directory that one process writes to
 * (`file:`), it is the operating system's within about a millisecond, and then outlives the
 * process; it outlives the machine when it is synced: within `flushIntervalMs`, or with the next
 * durable commit, `flush()` or `close()`. Up to 64 KiB, or 1 MiB while the log waits for the disk,
 * may gather before it is handed over. What a crash takes are the last writes, each whole. On a log
 * that several processes write to, a buffered write is a durable one.
 */
export type Durability = 'durable' | 'buffered'

export interface WriteOptions {
  durability?: Durability | undefined
  /**
   * Aborts the wait. A write that still waited to be let in (see `stats().writes.stopped`) isn't
   * made; a commit that is under way may still happen.
   */
  signal?: AbortSignal | undefined
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
