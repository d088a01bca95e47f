/**
 * When a write resolves.
 *
 * `durable` (default): when the commit survives a crash of the machine.
 *
 * `buffered`: when this process sees the write. In a directory that one process writes to
 * (`file:`), the write reaches the operating system within about a millisecond, and then survives
 * the process. It survives the machine once it is synced: within `flushIntervalMs`, or with the
 * next durable commit, `flush()` or `close()`. Up to 64 KiB, or 1 MiB while the log waits for the
 * disk, may gather before they are handed over. A crash takes only the last writes, each as a
 * whole. On a log that several processes write to, a buffered write is durable.
 */
export type Durability = 'durable' | 'buffered'

export interface WriteOptions {
  durability?: Durability | undefined
  /**
   * Aborts the wait. A write that has not been let in yet (see `stats().writes.stopped`) isn't
   * made; a commit that is under way may still happen.
   */
  signal?: AbortSignal | undefined
}

/**
 * The position of a write in the log. Writes made while an earlier commit was under way share one
 * commit, and so one version.
 */
export interface Commit {
  readonly version: number
  /** Microseconds since the epoch. */
  readonly timestamp: number
}
