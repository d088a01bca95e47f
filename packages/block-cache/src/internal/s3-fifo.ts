// What stays in memory: S3-FIFO (Yang et al., "FIFO queues are all you need for cache eviction",
// SOSP 2023), counted in bytes.
//
// 1. A new value enters the small queue. It may hold a tenth of the budget once that is full.
// 2. From the small queue's old end, values hit at least twice go on to the main queue; the others
//    are evicted and remembered as ghosts. A load calls for one hit by itself (load, then look
//    again), so once is what a scan does.
// 3. A value loaded again while it is a ghost enters the main queue directly.
// 4. From the main queue's old end, values with hits go back to the new end with one hit less; the
//    others are evicted.
//
// A hit is a store to a counter; nothing moves. The ghost queue is no queue: every eviction from
// the small queue takes a number, kept with the slot, and is a ghost while that number is among the
// last N given out, N being how many values are resident.

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

  /** `vacated` hears of tables whose last value left. */
  constructor(budget: number, vacated: (table: SlotTable) => void) {
    this.budget = budget
    this.#vacated = vacated
  }

  /** Bytes of all values and reservations. */
  get usedBytes(): number {
    return this.#small.bytes + this.#main.bytes + this.pinnedBytes + this.reservedBytes
  }

  /** Bytes of what can't be evicted. */
  get heldBytes(): number {
    return this.pinnedBytes + this.reservedBytes
  }

  /** Takes a value in, unless it could never fit. A pinned slot's value always comes in. */
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

  /** Takes a value out, whatever holds it. */
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

  /** Takes an entry out of eviction's reach. */
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

  /** Evicts all that may be evicted. */
  clear(): void {
    for (const queue of [this.#small, this.#main]) {
      while (queue.oldest !== undefined) this.#evict(queue.oldest)
    }
  }

  /** Evicts until the budget holds, or nothing is left to evict; `newcomer` last. */
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
