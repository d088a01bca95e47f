/**
 * Leases: the right to do some work alone for a while, so that two processes don't do it twice.
 *
 * Leases save work and decide nothing: a holder that was paused past its lease's end doesn't know
 * it. Two things keep that safe: the commit log, which refuses a compaction whose inputs are gone,
 * and the epoch, for work outside the log.
 */
export interface Leases {
  /**
   * Returns the lease, or `undefined` while another holder has it; never waits. No two clocks are
   * compared: a lease counts as over when this object has seen it unchanged for its whole duration,
   * on its own monotonic clock. So of two calls at least that duration apart, the second takes a
   * lease that isn't released.
   */
  acquire(name: string, options: AcquireLeaseOptions): Promise<Lease | undefined>
}

export interface LeaseCallOptions {
  signal?: AbortSignal | undefined
}

export interface AcquireLeaseOptions extends LeaseCallOptions {
  /** How long the lease lasts without renewal, in milliseconds: a positive safe integer. */
  durationMs: number
}

/** An acquired lease. It isn't renewed by itself. */
export interface Lease {
  readonly name: string
  /**
   * Greater than every earlier holder's. A service that gets it with each request can refuse late
   * work of a smaller epoch.
   */
  readonly epoch: number
  /**
   * How long, by this process's monotonic clock, no other holder can have the lease; 0 when that
   * time is over or the lease was lost or released. Renew at half of it.
   */
  remainingMs(): number
  /**
   * Restarts the lease's duration. Throws `LeaseLostError` if another holder has it, or if it can't
   * be known whether the renewal took effect: the lease then counts as lost. A `retryable` error
   * means that nothing was done; the remaining time still counts.
   */
  renew(options?: LeaseCallOptions): Promise<void>
  /** Lets others acquire the lease at once. Idempotent; does nothing to a lease that was lost. */
  release(options?: LeaseCallOptions): Promise<void>
}
