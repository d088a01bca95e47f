import type { Flight } from '@firn/env'
import type { Sized } from '../sized.js'
import type { EntryQueue } from './entry-queue.js'

/** Hits beyond this many say nothing more of a slot (S3-FIFO counts in two bits). */
export const MAX_FREQUENCY = 3

/** A resident value's place in the eviction order. */
export interface Entry {
  readonly table: SlotTable
  readonly slot: number
  /** What the value weighed when it came in. */
  readonly bytes: number
  /** The queue it stands in; `undefined` while it is pinned. */
  queue: EntryQueue | undefined
  newer: Entry | undefined
  older: Entry | undefined
}

/** A load under way. */
export interface Load<V> {
  readonly flight: Flight<V>
  /** Whether the value is wanted in the cache: true as soon as one caller wants it there. */
  fill: boolean
}

/** All that the cache knows of one file, as arrays over its slots. */
export class SlotTable {
  readonly id: string
  /** Read by every hit: nothing but values, `undefined` where nothing is resident. */
  readonly values: (Sized | undefined)[] = []
  readonly entries: (Entry | undefined)[] = []
  /** Hits since the slot was admitted or last looked at by eviction, up to `MAX_FREQUENCY`. */
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
    // Pushed one by one: an array without holes keeps reads on the quick path.
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
