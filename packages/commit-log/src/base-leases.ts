import { type Env, InvalidArgumentError, ulid } from '@firn/env'
import { LeaseLostError } from './errors.js'
import type { AcquireLeaseOptions, Lease, LeaseCallOptions, Leases } from './leases.js'

/** A lease as stored. No two states of one lease are alike. */
export interface LeaseRecord {
  /** 1 for the first holder, one more for each that follows. */
  epoch: number
  /** A fresh ULID each time the lease is acquired; `undefined` after it was released. */
  holder: string | undefined
  /** How often this holder renewed it. */
  renewals: number
  durationMs: number
}

/** The outcome of replacing a record. */
export type ReplaceOutcome<R extends LeaseRecord> =
  /** It was replaced by this one. */
  | { replaced: R }
  /** It was not replaced: this record was there, or none. */
  | { found: R | undefined }
  /** It may have been replaced, or may still be; holds the reason why that isn't known. */
  | { unknown: unknown }

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/

/**
 * The lease protocol, over any storage of small records with compare-and-set.
 *
 * 1. Every change replaces the record that was read, and nothing else.
 * 2. Acquire: read. If there is no record, or a released one, replace it by one's own record with
 *    the next epoch.
 * 3. If another holder has it, remember the record and the monotonic time when the answer came,
 *    which is after the holder began to count. If the record is still unchanged at least its
 *    duration later, the holder's time is over: replace it as in 2.
 * 4. Renew: replace one's own record by one with the next renewal count. One's own time counts from
 *    before the request was sent.
 * 5. Release: replace it by a record without a holder that keeps the epoch. Records are never
 *    deleted.
 * 6. If there is no certain answer, read. Finding the record that was to be written proves that it
 *    was written. Anything else doesn't prove that it won't be: a renewal counts as lost, an
 *    acquisition as failed. If such a write arrives after all, its holder doesn't know, and loses
 *    the lease by not renewing it.
 */
export abstract class BaseLeases<R extends LeaseRecord = LeaseRecord> implements Leases {
  readonly #env: Env
  readonly #seen = new Map<string, { record: R; since: number }>()

  constructor(env: Env) {
    this.#env = env
  }

  /** Reads the current record of this name (strongly consistent). */
  protected abstract _read(name: string, options: LeaseCallOptions): Promise<R | undefined>
  /**
   * Replaces exactly `expected` (`undefined`: nothing) by `next`. Rejects only if it is certain
   * that nothing was written and nothing will be.
   */
  protected abstract _replace(
    name: string,
    expected: R | undefined,
    next: LeaseRecord,
    options: LeaseCallOptions,
  ): Promise<ReplaceOutcome<R>>

  async acquire(name: string, options: AcquireLeaseOptions): Promise<Lease | undefined> {
    const { durationMs, signal } = options
    if (!NAME.test(name)) {
      throw new InvalidArgumentError(
        `a lease's name is 1 to 128 letters, digits, '.', '_' and '-', the first a letter or digit`,
      )
    }
    if (!(Number.isSafeInteger(durationMs) && durationMs > 0)) {
      throw new InvalidArgumentError(`durationMs is a positive safe integer, got ${durationMs}`)
    }
    signal?.throwIfAborted()
    const current = await this._read(name, { signal })
    if (current !== undefined && !this.#isOver(name, current)) return undefined
    const epoch = (current?.epoch ?? 0) + 1
    const next = { epoch, holder: ulid(this.#env), renewals: 0, durationMs }
    const sentAt = this.#env.monotonic()
    const outcome = await this.#replace(name, current, next, { signal })
    if ('unknown' in outcome) throw outcome.unknown
    if ('found' in outcome) {
      if (outcome.found !== undefined) this.#isOver(name, outcome.found)
      return undefined
    }
    this.#seen.delete(name)
    return new HeldLease({
      name,
      record: outcome.replaced,
      sentAt,
      monotonic: () => this.#env.monotonic(),
      replace: (expected, next, options) => this.#replace(name, expected, next, options),
    })
  }

  /** Whether the lease has no holder any more, by what this object has seen. */
  #isOver(name: string, record: R): boolean {
    if (record.holder === undefined) return true
    const now = this.#env.monotonic()
    const seen = this.#seen.get(name)
    if (seen !== undefined && same(seen.record, record))
      return now - seen.since >= record.durationMs
    this.#seen.set(name, { record, since: now })
    return false
  }

  /** Replaces the record, and reads back if the outcome isn't certain. */
  async #replace(
    name: string,
    expected: R | undefined,
    next: LeaseRecord,
    options: LeaseCallOptions,
  ): Promise<ReplaceOutcome<R>> {
    const outcome = await this._replace(name, expected, next, options)
    let found: R | undefined
    if ('replaced' in outcome) return outcome
    if ('found' in outcome) {
      found = outcome.found
    } else {
      try {
        found = await this._read(name, options)
      } catch {
        return outcome
      }
    }
    // After a refusal too: a request that is delivered twice meets its own record.
    if (found !== undefined && same(found, next)) return { replaced: found }
    return 'found' in outcome ? { found } : outcome
  }
}

interface Holding<R extends LeaseRecord> {
  name: string
  record: R
  /** Monotonic time before the record was sent. */
  sentAt: number
  monotonic(): number
  replace(expected: R, next: LeaseRecord, options: LeaseCallOptions): Promise<ReplaceOutcome<R>>
}

class HeldLease<R extends LeaseRecord> implements Lease {
  readonly name: string
  readonly epoch: number
  readonly #holding: Holding<R>
  #ended: 'lost' | 'released' | undefined
  /** One change at a time: each replaces what the one before wrote. */
  #last: Promise<unknown> = Promise.resolve()

  constructor(holding: Holding<R>) {
    this.name = holding.name
    this.epoch = holding.record.epoch
    this.#holding = holding
  }

  remainingMs(): number {
    if (this.#ended !== undefined) return 0
    const { record, sentAt, monotonic } = this.#holding
    return Math.max(0, sentAt + record.durationMs - monotonic())
  }

  renew(options: LeaseCallOptions = {}): Promise<void> {
    return this.#inTurn(() => this.#renew(options))
  }

  release(options: LeaseCallOptions = {}): Promise<void> {
    return this.#inTurn(() => this.#release(options))
  }

  async #renew({ signal }: LeaseCallOptions): Promise<void> {
    signal?.throwIfAborted()
    const holding = this.#holding
    const { name, record } = holding
    if (this.#ended !== undefined) throw new LeaseLostError(name, this.#ended)
    const next = { ...plain(record), renewals: record.renewals + 1 }
    const sentAt = holding.monotonic()
    const outcome = await holding.replace(record, next, { signal })
    if ('replaced' in outcome) {
      holding.record = outcome.replaced
      holding.sentAt = sentAt
      return
    }
    this.#ended = 'lost'
    if ('found' in outcome) throw new LeaseLostError(name, 'taken')
    signal?.throwIfAborted()
    throw new LeaseLostError(name, 'unknown', outcome.unknown)
  }

  async #release({ signal }: LeaseCallOptions): Promise<void> {
    if (this.#ended !== undefined) return
    signal?.throwIfAborted()
    const { record, replace } = this.#holding
    // Whatever the outcome, this holder does nothing more under this lease.
    this.#ended = 'released'
    const outcome = await replace(record, { ...plain(record), holder: undefined }, { signal })
    if ('unknown' in outcome) throw outcome.unknown
  }

  #inTurn(change: () => Promise<void>): Promise<void> {
    const turn = this.#last.then(change)
    this.#last = turn.catch(() => undefined)
    return turn
  }
}

/** The record without the fields that a storage added. */
function plain({ epoch, holder, renewals, durationMs }: LeaseRecord): LeaseRecord {
  return { epoch, holder, renewals, durationMs }
}

function same(a: LeaseRecord, b: LeaseRecord): boolean {
  return (
    a.epoch === b.epoch &&
    a.holder === b.holder &&
    a.renewals === b.renewals &&
    a.durationMs === b.durationMs
  )
}
