/**
 * Leases: the right to do some work alone for a while, so that two processes don't do it twice.
 *
 * They save work and decide nothing: a holder that was paused past its lease's end doesn't know.
 * What makes that safe is the commit log, where a compaction fails whose inputs are gone, and the
 * epoch for what is outside of it.
 */
export interface Leases {
  /**
   * The lease, or `undefined` while somebody else has it. Nobody's clock is compared with
   * another's: a holder is given up when this object has seen his lease unchanged for its whole
   * duration, on its own monotonic clock. So one that isn't released is taken by the second of two
   * calls which are at least its duration apart. Waits for nobody.
   */
  acquire(name: string, options: AcquireLeaseOptions): Promise<Lease | undefined>
}

export interface LeaseCallOptions {
  signal?: AbortSignal | undefined
}

export interface AcquireLeaseOptions extends LeaseCallOptions {
  /** How long it lasts without being renewed, in milliseconds: a positive safe integer. */
  durationMs: number
}

/** A lease that was acquired. It isn't renewed by itself. */
export interface Lease {
  readonly name: string
  /**
   * Greater than that of every holder before. Whoever is told of it with some work can refuse work
   * of a smaller one, which comes late.
   */
  readonly epoch: number
  /**
   * For how long, by this process's monotonic clock, nobody else can have it: 0 when that time is
   * over, or the lease was lost or released. Renew at half of it.
   */
  remainingMs(): number
  /**
   * Begins its duration anew. Throws `LeaseLostError` where somebody else has it, and also where it
   * can't be known whether the renewal took effect: it is lost then. An error that is `retryable`
   * means that nothing was done, and the time that is left is still left.
   */
  renew(options?: LeaseCallOptions): Promise<void>
  /** Lets others have it at once. Idempotent; does nothing to a lease that was lost. */
  release(options?: LeaseCallOptions): Promise<void>
}
