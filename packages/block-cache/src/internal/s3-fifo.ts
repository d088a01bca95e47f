// Decides what stays in memory: S3-FIFO (Yang et al., "FIFO queues are all you need for cache
// eviction", SOSP 2023), counted in bytes.
//
// 1. A new value enters the small queue, which may hold a tenth of the budget once that is full.
// 2. At the small queue's old end, values hit at least twice move on to the main queue; the others
//    are evicted and remembered as ghosts. A load makes one hit by itself (load, then look again),
//    so one hit is what a scan makes.
// 3. A value loaded again while it is a ghost enters the main queue directly.
// 4. At the main queue's old end, values with hits return to the new end with one hit less; the
//    others are evicted.
//
// A hit stores to a counter; nothing moves. The ghost queue is no real queue: every eviction from
// the small queue takes a number, kept with the slot: a ghost while that number is among the
// last N given out, N being the number of resident values.

import type { Sized } from '../sized.js'
import { EntryQueue } from './entry-queue.js'
import type { Entry, SlotTable } from './slot-table.js'

const SMALL_SHARE = 0.1
const PROMOTION_HITS = 2
const MIN_GHOSTS = 64

/** Decides which values are resident, within a budget of bytes. */
export class S3Fifo {
  budget: number
  pinnedBytes = 0
  reservedBytes = 0
  evictions = 0
  admissions = 0
  residents = 0
  readonly #small = new EntryQueue()
  readonly #main = new EntryQueue()
  readonly #vacated: (table: SlotTable) => void
  #ghostClock = 0

  /** `vacated` is called with each table whose last value left. */
  constructor(budget: number, vacated: (table: SlotTable) => void) {
    this.budget = budget
    this.#vacated = vacated
  }

  /** Bytes of all values and reservations. */
  get usedBytes(): number {
    return this.#small.bytes + this.#main.bytes + this.pinnedBytes + this.reservedBytes
  }

  /** Bytes that can't be evicted. */
  get heldBytes(): number {
    return this.pinnedBytes + this.reservedBytes
  }

  /** Adds a value, unless it could never fit. A pinned slot's value is always added. */
  admit(table: SlotTable, slot: number, value: Sized): void {
    const bytes = value.memoryBytes
    const pinned = table.pins.has(slot)
    if (!pinned && bytes > this.budget - this.heldBytes) return
    table.ensure(slot)
    const entry: Entry = {
      table,
      slot,
      bytes,
      queue: undefined,
      newer: undefined,
      older: undefined,
    }
    table.values[slot] = value
    table.entries[slot] = entry
    table.frequencies[slot] = 0
    table.residents++
    this.residents++
    this.admissions++
    if (pinned) this.pinnedBytes += bytes
    else if (this.#isGhost(table, slot)) this.#main.push(entry)
    else this.#small.push(entry)
    this.trim(entry)
  }

  /** Removes a value, pinned or not. */
  remove(entry: Entry): void {
    const { table, slot } = entry
    if (entry.queue === undefined) this.pinnedBytes -= entry.bytes
    else entry.queue.remove(entry)
    table.values[slot] = undefined
    table.entries[slot] = undefined
    table.frequencies[slot] = 0
    table.residents--
    this.residents--
    if (table.residents === 0) this.#vacated(table)
  }

  /** Protects an entry from eviction. */
  pin(entry: Entry): void {
    entry.queue?.remove(entry)
    this.pinnedBytes += entry.bytes
    this.trim(undefined)
  }

  unpin(entry: Entry): void {
    this.pinnedBytes -= entry.bytes
    this.#main.push(entry)
    this.trim(undefined)
  }

  /** Evicts everything that may be evicted. */
  clear(): void {
    for (const queue of [this.#small, this.#main]) {
      while (queue.oldest !== undefined) this.#evict(queue.oldest)
    }
  }

  /** Evicts until the budget holds or nothing evictable is left; `newcomer` last. */
  trim(newcomer: Entry | undefined): void {
    while (this.usedBytes > this.budget) {
      const small = this.#small.oldest
      const main = this.#main.oldest
      if (small === undefined && main === undefined) return
      const smallTarget = SMALL_SHARE * Math.max(0, this.budget - this.heldBytes)
      if (
        small !== undefined &&
        (main === undefined || (small !== newcomer && this.#small.bytes > smallTarget))
      ) {
        this.#leaveSmall(small)
      } else if (main !== undefined) {
        this.#leaveMain(main)
      }
    }
  }

  #leaveSmall(entry: Entry): void {
    const { table, slot } = entry
    if ((table.frequencies[slot] ?? 0) >= PROMOTION_HITS) {
      this.#small.remove(entry)
      this.#main.push(entry)
      table.frequencies[slot] = 0
    } else {
      table.evictedAt[slot] = ++this.#ghostClock
      this.#evict(entry)
    }
  }

  #leaveMain(entry: Entry): void {
    const { table, slot } = entry
    const frequency = table.frequencies[slot] ?? 0
    if (frequency > 0) {
      table.frequencies[slot] = frequency - 1
      this.#main.remove(entry)
      this.#main.push(entry)
    } else {
      this.#evict(entry)
    }
  }

  #evict(entry: Entry): void {
    this.evictions++
    this.remove(entry)
  }

  #isGhost(table: SlotTable, slot: number): boolean {
    const evictedAt = table.evictedAt[slot] ?? 0
    return evictedAt > 0 && this.#ghostClock - evictedAt < Math.max(MIN_GHOSTS, this.residents)
  }
}
