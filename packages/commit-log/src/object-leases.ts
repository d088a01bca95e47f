import { assertUlid, type Env, isFirnError, systemEnv } from '@firn/env'
import type { ObjectStore } from '@firn/object-store'
import { BaseLeases, type LeaseRecord, type ReplaceOutcome } from './base-leases.js'
import { decodeLeaseRecord, encodeLeaseRecord } from './internal/lease-codec.js'
import type { LeaseCallOptions } from './leases.js'
import { leaseKey } from './object-keys.js'

export interface ObjectLeasesOptions {
  env?: Env
}

interface StoredLease extends LeaseRecord {
  etag: string
}

/**
 * Leases that need only an object store: each is the object `leases/<incarnation>/<name>`, created
 * and replaced by conditional puts. The caller closes the store.
 */
export class ObjectLeases extends BaseLeases<StoredLease> {
  readonly #store: ObjectStore
  readonly #incarnation: string

  constructor(store: ObjectStore, incarnation: string, options: ObjectLeasesOptions = {}) {
    super(options.env ?? systemEnv)
    assertUlid(incarnation, "a database's incarnation")
    this.#store = store
    this.#incarnation = incarnation
  }

  protected async _read(name: string, options: LeaseCallOptions): Promise<StoredLease | undefined> {
    const key = leaseKey(this.#incarnation, name)
    try {
      const { bytes, etag } = await this.#store.get(key, { ...options, urgent: true })
      return { ...decodeLeaseRecord(bytes, key), etag }
    } catch (error) {
      if (isFirnError(error, 'FIRN_OBJECT_NOT_FOUND')) return undefined
      throw error
    }
  }

  protected async _replace(
    name: string,
    expected: StoredLease | undefined,
    next: LeaseRecord,
    options: LeaseCallOptions,
  ): Promise<ReplaceOutcome<StoredLease>> {
    const key = leaseKey(this.#incarnation, name)
    const condition = expected === undefined ? { ifAbsent: true } : { ifMatch: expected.etag }
    try {
      const bytes = encodeLeaseRecord(next, key)
      const { etag } = await this.#store.put(key, bytes, {
        ...options,
        ...condition,
        urgent: true,
      })
      return { replaced: { ...next, etag } }
    } catch (error) {
      if (!isFirnError(error, 'FIRN_PRECONDITION_FAILED')) {
        if (isFirnError(error) && error.maybeDone === false) throw error
        return { unknown: error }
      }
    }
    try {
      return { found: await this._read(name, options) }
    } catch (error) {
      return { unknown: error }
    }
  }
}
