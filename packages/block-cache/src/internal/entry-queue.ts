import type { Entry } from './slot-table.js'

/** A first-in, first-out queue that entries may also leave from the middle, all in O(1). */
export class EntryQueue {
  bytes = 0
  length = 0
  newest: Entry | undefined
  oldest: Entry | undefined

  /** `entry` must be in no queue. */
  push(entry: Entry): void {
    entry.queue = this
    entry.older = this.newest
    entry.newer = undefined
    if (this.newest === undefined) this.oldest = entry
    else this.newest.newer = entry
    this.newest = entry
    this.bytes += entry.bytes
    this.length++
  }

  /** `entry` must be in this queue. */
  remove(entry: Entry): void {
    if (entry.newer === undefined) this.newest = entry.older
    else entry.newer.older = entry.older
    if (entry.older === undefined) this.oldest = entry.newer
    else entry.older.newer = entry.newer
    entry.queue = undefined
    entry.newer = undefined
    entry.older = undefined
    this.bytes -= entry.bytes
    this.length--
  }
}
