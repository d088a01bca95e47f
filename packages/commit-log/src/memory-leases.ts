import { type Env, systemEnv } from '@firn/env'
import { BaseLeases, type LeaseRecord, type ReplaceOutcome } from './base-leases.js'

/** The records of leases. `MemoryLeases` that get the same storage share their leases. */
export class MemoryLeaseStorage {
  readonly records: Map<string, LeaseRecord> = new Map()
}

export interface MemoryLeasesOptions {
  env?: Env
  /** Default: its own. */
  storage?: MemoryLeaseStorage
}

/** Leases in this process's memory. */
export class MemoryLeases extends BaseLeases {
  readonly #records: Map<string, LeaseRecord>

  constructor(options: MemoryLeasesOptions = {}) {
    super(options.env ?? systemEnv)
    this.#records = (options.storage ?? new MemoryLeaseStorage()).records
  }

  protected async _read(name: string): Promise<LeaseRecord | undefined> {
    return this.#records.get(name)
  }

  protected async _replace(
    name: string,
    expected: LeaseRecord | undefined,
    next: LeaseRecord,
  ): Promise<ReplaceOutcome<LeaseRecord>> {
    const found = this.#records.get(name)
    // Records are immutable, so identity shows that nothing has changed since the read.
    if (found !== expected) return { found }
    this.#records.set(name, next)
    return { replaced: next }
  }
}
