import type { Lease, Leases } from '@firn/commit-log'
import { type Env, isFirnError } from '@firn/env'
import type { Logger } from '../../open-options.js'

const NAME = 'maintenance'
const DURATION_MS = 30_000
/** How often the lease is renewed in its time. */
const RENEWALS = 3
/**
 * How long this process doesn't ask again after another one had the lease. Work that is left then
 * asks again.
 */
const PATIENCE_MS = 10_000
/**
 * How long requests may go on after the work is over: a close must not hang on a silent service.
 */
const GRACE_MS = 5_000

export interface MaintenanceLeaseOptions {
  env: Env
  /** `undefined` if only this process maintains the database. */
  leases: Leases | undefined
  logger: Logger | undefined
  /** Whether writers wait for the work: then it is done whichever process has the lease. */
  isUrgent: () => boolean
  /**
   * Called when the work is left to the process that has the lease, with the time until the next
   * request.
   */
  onRefused: (askAgainInMs: number) => void
}

/**
 * The right to flush and compact a database that many processes write to, so that they don't all do
 * the same work. It is only an optimization: the log refuses entries whose inputs are gone. So if
 * it can't be known which process has the lease, the work is done. The lease is held only while
 * there is work, and renewed meanwhile: an idle process makes no requests.
 */
export class MaintenanceLease {
  readonly #options: MaintenanceLeaseOptions
  #users = 0
  #held: Promise<Lease | undefined> | undefined
  #ended: AbortController | undefined
  #releasing: Promise<void> | undefined
  #askAgainAt = Number.NEGATIVE_INFINITY

  constructor(options: MaintenanceLeaseOptions) {
    this.#options = options
  }

  /**
   * Takes the lease, and returns a function that releases it, or `undefined` while another process
   * has it. Work that a caller asked for (`isAsked`) is done whichever process has it.
   */
  async hold(signal: AbortSignal, isAsked: boolean): Promise<(() => Promise<void>) | undefined> {
    const { env, leases, logger } = this.#options
    if (leases === undefined || isAsked) return nothing
    // Otherwise this process would find its own lease, and take it for another process's.
    while (this.#releasing !== undefined) await this.#releasing
    if (this.#held === undefined && env.monotonic() < this.#askAgainAt) return this.#without()
    this.#users++
    this.#held ??= this.#acquire(leases, signal)
    let lease: Lease | undefined
    try {
      lease = await this.#held
    } catch (error) {
      this.#held = undefined
      if (!signal.aborted) {
        const why = 'the lease for maintenance could not be requested; the work is done without it'
        logger?.warn(why, { error })
        return () => this.#leave()
      }
    }
    if (signal.aborted) {
      await this.#leave()
      throw signal.reason
    }
    if (lease !== undefined) return () => this.#leave()
    this.#askAgainAt = env.monotonic() + PATIENCE_MS
    await this.#leave()
    return this.#without()
  }

  #without(): (() => Promise<void>) | undefined {
    const { env, isUrgent, onRefused } = this.#options
    if (isUrgent()) return nothing
    onRefused(this.#askAgainAt - env.monotonic())
    return undefined
  }

  async #acquire(leases: Leases, signal: AbortSignal): Promise<Lease | undefined> {
    // A request that was broken off could still take effect, and no one would release the lease.
    const lease = await this.#withGrace(signal, (late) =>
      leases.acquire(NAME, { durationMs: DURATION_MS, signal: late }),
    )
    if (lease !== undefined) {
      this.#ended = new AbortController()
      void this.#renew(lease, this.#ended.signal)
    }
    return lease
  }

  async #leave(): Promise<void> {
    if (--this.#users > 0) return
    const held = this.#held
    this.#held = undefined
    this.#ended?.abort()
    this.#releasing = this.#release(held)
    await this.#releasing
    this.#releasing = undefined
  }

  async #release(held: Promise<Lease | undefined> | undefined): Promise<void> {
    const lease = await held?.catch(() => undefined)
    if (lease === undefined) return
    const release = this.#withGrace(AbortSignal.abort(), (signal) => lease.release({ signal }))
    // A lease that can't be released ends by itself.
    await release.catch(() => {})
  }

  /** Does `work`, and gives it up a while after `ended` aborts. */
  async #withGrace<T>(ended: AbortSignal, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const { env } = this.#options
    const [late, done] = [new AbortController(), new AbortController()]
    const onEnd = (): void => {
      env.sleep(GRACE_MS, done.signal, { background: true }).then(
        () => late.abort(ended.reason),
        () => {},
      )
    }
    if (ended.aborted) onEnd()
    else ended.addEventListener('abort', onEnd, { once: true })
    try {
      return await work(late.signal)
    } finally {
      ended.removeEventListener('abort', onEnd)
      done.abort()
    }
  }

  /** Renews the lease after each third of its time until the work is over or the lease is lost. */
  async #renew(lease: Lease, ended: AbortSignal): Promise<void> {
    const { env, logger } = this.#options
    try {
      for (;;) {
        await env.sleep(DURATION_MS / RENEWALS, ended, { background: true })
        await lease.renew({ signal: ended }).catch((error: unknown) => {
          // The renewal was not made, but the lease's remaining time is still valid.
          if (!isFirnError(error) || !error.retryable || lease.remainingMs() === 0) throw error
        })
      }
    } catch (error) {
      if (ended.aborted) return
      logger?.warn('the lease for maintenance was lost; another process may do the same work', {
        error,
      })
    }
  }
}

async function nothing(): Promise<void> {}
