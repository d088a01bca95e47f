import { type Env, systemEnv } from '@firn/env'
import { BaseLeases, type LeaseRecord, type ReplaceOutcome } from './base-leases.js'

/** The leases themselves: give one to several `MemoryLeases` and they share them. */
export class MemoryLeaseStorage {
  readonly records: Map<string, LeaseRecord> = new Map()
}

export interface MemoryLeasesOptions {
  env?: Env
  /** Default: one of its own. */
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
    // Records are never changed, so that the one that was read is the one that is there.
    if (found !== expected) return { found }
    this.#records.set(name, next)
    return { replaced: next }
  }
}
