import { InvalidArgumentError } from '@firn/env'
import { CachedFile } from './cached-file.js'
import { S3Fifo } from './internal/s3-fifo.js'
import { SlotTable } from './internal/slot-table.js'
import type { Sized } from './sized.js'

/** Memory held outside the cache that counts against its budget. */
export interface Reservation {
  /** Bytes held; 0 once released. */
  readonly bytes: number
  /** Changes the number of bytes held. */
  resize(bytes: number): void
  /** Gives the bytes back. Idempotent. */
  release(): void
}

/** Counters since the cache was created, and its present fill. */
export interface BlockCacheStats {
  /** `peek`s and `load`s that found a resident value. */
  hits: number
  /** `load`s that called their loader. */
  misses: number
  /** `load`s that waited for another caller's loader. */
  joins: number
  admissions: number
  evictions: number
  /** Resident values. */
  entries: number
  /** Files with an open handle or a resident value. */
  files: number
  usedBytes: number
  pinnedBytes: number
  reservedBytes: number
  /** The budget. */
  bytes: number
}

/**
 * Decoded blocks of many files, in one budget of bytes. Scan-resistant (S3-FIFO); one load per
 * block however many callers ask for it; a hit costs an array read.
 *
 * `usedBytes` stays within `bytes`, except for the amount by which pins and reservations alone
 * exceed it.
 */
export class BlockCache {
  readonly #policy: S3Fifo
  readonly #files: Map<string, { table: SlotTable; handle: CachedFile<Sized> }> = new Map()
  readonly #forget: (table: SlotTable) => void
  #forgottenHits = 0
  #forgottenMisses = 0
  #forgottenJoins = 0

  /** Throws `InvalidArgumentError` unless `bytes` is a number ≥ 0. 0 caches nothing. */
  constructor(options: { bytes: number }) {
    assertBytes(options.bytes)
    this.#forget = (table) => {
      if (table.references > 0 || this.#files.get(table.id)?.table !== table) return
      this.#files.delete(table.id)
      this.#forgottenHits += table.hits
      this.#forgottenMisses += table.misses
      this.#forgottenJoins += table.joins
    }
    this.#policy = new S3Fifo(options.bytes, this.#forget)
  }

  /** The budget in bytes. Setting a smaller one evicts at once. */
  get bytes(): number {
    return this.#policy.budget
  }

  set bytes(bytes: number) {
    assertBytes(bytes)
    this.#policy.budget = bytes
    this.#policy.trim(undefined)
  }

  /** Bytes of resident values and reservations. */
  get usedBytes(): number {
    return this.#policy.usedBytes
  }

  /**
   * Opens a handle on the values of file `id`, which must name one immutable content for ever. All
   * handles of an id hold values of one type; each needs one `close()`.
   */
  file<V extends Sized>(id: string): CachedFile<V> {
    let file = this.#files.get(id)
    if (file === undefined) {
      const table = new SlotTable(id)
      file = { table, handle: new CachedFile<Sized>(table, this.#policy, this.#forget) }
      this.#files.set(id, file)
    }
    file.table.references++
    return file.handle as unknown as CachedFile<V>
  }

  /**
   * Counts memory held elsewhere (indexes, filters, buffers) against the budget. Never refused:
   * values are evicted to make room if they can be.
   */
  reserve(bytes: number): Reservation {
    return new ReservedBytes(this.#policy, bytes)
  }

  /** Evicts everything that isn't pinned. */
  clear(): void {
    this.#policy.clear()
  }

  stats(): BlockCacheStats {
    const policy = this.#policy
    const stats: BlockCacheStats = {
      hits: this.#forgottenHits,
      misses: this.#forgottenMisses,
      joins: this.#forgottenJoins,
      admissions: policy.admissions,
      evictions: policy.evictions,
      entries: policy.residents,
      files: this.#files.size,
      usedBytes: policy.usedBytes,
      pinnedBytes: policy.pinnedBytes,
      reservedBytes: policy.reservedBytes,
      bytes: policy.budget,
    }
    for (const { table } of this.#files.values()) {
      stats.hits += table.hits
      stats.misses += table.misses
      stats.joins += table.joins
    }
    return stats
  }
}

class ReservedBytes implements Reservation {
  readonly #policy: S3Fifo
  #bytes = 0

  constructor(policy: S3Fifo, bytes: number) {
    this.#policy = policy
    this.resize(bytes)
  }

  get bytes(): number {
    return this.#bytes
  }

  resize(bytes: number): void {
    assertBytes(bytes)
    this.#policy.reservedBytes += bytes - this.#bytes
    this.#bytes = bytes
    this.#policy.trim(undefined)
  }

  release(): void {
    this.resize(0)
  }
}

function assertBytes(bytes: number): void {
  if (!(bytes >= 0 && bytes <= Number.MAX_SAFE_INTEGER)) {
    throw new InvalidArgumentError(`a number of bytes ≥ 0 was expected, got ${bytes}`)
  }
}
