import type { Flight } from '@firn/env'
import type { Sized } from '../sized.js'
import type { EntryQueue } from './entry-queue.js'

/** More hits than this add no information about a slot (S3-FIFO counts in two bits). */
export const MAX_FREQUENCY = 3

/** A resident value's place in the eviction order. */
export interface Entry {
  readonly table: SlotTable
  readonly slot: number
  /** The weight of the value when it was admitted. */
  readonly bytes: number
  /** The entry's queue; `undefined` while it is pinned. */
  queue: EntryQueue | undefined
  newer: Entry | undefined
  older: Entry | undefined
}

/** A load under way. */
export interface Load<V> {
  readonly flight: Flight<V>
  /** Whether the value is to stay in the cache: true as soon as one caller wants it. */
  fill: boolean
}

/** The cache's data for one file, as arrays over its slots. */
export class SlotTable {
  readonly id: string
  /** Read by every hit: only values, `undefined` if nothing is resident. */
  readonly values: (Sized | undefined)[] = []
  readonly entries: (Entry | undefined)[] = []
  /**
   * Hits since the slot was admitted or since eviction last looked at it, up to `MAX_FREQUENCY`.
   */
  frequencies: Uint8Array = new Uint8Array(0)
  /** The ghost queue's clock when the slot was last evicted unused; 0: never. */
  evictedAt: Float64Array = new Float64Array(0)
  readonly pins: Map<number, number> = new Map()
  readonly loads: Map<number, Load<Sized>> = new Map()
  /** Open handles. */
  references = 0
  /** How many slots have a value. */
  residents = 0
  hits = 0
  misses = 0
  joins = 0

  constructor(id: string) {
    this.id = id
  }

  /** Makes the arrays long enough for `slot`. */
  ensure(slot: number): void {
    if (slot < this.frequencies.length) return
    const capacity = Math.max(16, 2 ** Math.ceil(Math.log2(slot + 1)))
    // One push per slot: an array without holes keeps reads on the fast path.
    while (this.values.length < capacity) {
      this.values.push(undefined)
      this.entries.push(undefined)
    }
    const frequencies = new Uint8Array(capacity)
    frequencies.set(this.frequencies)
    this.frequencies = frequencies
    const evictedAt = new Float64Array(capacity)
    evictedAt.set(this.evictedAt)
    this.evictedAt = evictedAt
  }
}
