import type { AcquireLeaseOptions, Lease, Leases } from '@firn/commit-log'
import type { Life } from './sim-process.js'
import { Violation } from './violation.js'

/**
 * The share of a lease's time that its holder may believe to have left when the next one gets it:
 * clocks run up to a tenth too fast or too slow, so at most a fifth is left.
 */
const DRIFT = 0.25

interface Held {
  lease: Lease
  durationMs: number
  who: string
}

/** The holders of a run's leases, as far as they know themselves. */
export class LeaseWatch {
  readonly #held: Map<string, Held[]> = new Map()

  /** Wraps the leases of one life of a process. Fails the run if two hold one at the same time. */
  over(leases: Leases, life: Life): Leases {
    return {
      acquire: async (name: string, options: AcquireLeaseOptions) => {
        const lease = await leases.acquire(name, options)
        if (lease !== undefined) this.#note(life, { lease, ...options, who: life.name })
        return lease
      },
    }
  }

  #note(life: Life, held: Held): void {
    const { name } = held.lease
    const before = (this.#held.get(name) ?? []).filter(({ lease }) => lease.remainingMs() > 0)
    const other = before.find(({ lease, durationMs }) => lease.remainingMs() > durationMs * DRIFT)
    this.#held.set(name, [...before, held])
    if (other === undefined) return
    const leftMs = Math.round(other.lease.remainingMs())
    const what = `${held.who} got the lease ${name}, of which ${other.who} has ${leftMs} ms left`
    life.world.fail(new Violation(what))
  }
}
