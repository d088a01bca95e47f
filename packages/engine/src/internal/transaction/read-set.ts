import { compareBytes } from '@firn/bytes'
import type { TimeSlice } from '@firn/env'
import { prefixedKey, TABLE_PREFIX_BYTES } from '@firn/mvcc'
import { KeySet } from '../append/key-set.js'
import type { TakenScanOptions } from '../arguments/read-options.js'
import { isEmptyRange, type KeyBounds, keyBounds } from '../read/key-bounds.js'
import type { ReadProgress } from '../read/page-reader.js'

/** The part of a range that a scan has read so far. */
export class ReadRange implements ReadProgress {
  readonly #scan: TakenScanOptions
  /** The user key of the last row. */
  #through: Uint8Array | undefined
  #whole = false

  constructor(scan: TakenScanOptions) {
    this.#scan = scan
  }

  readThrough(storedKey: Uint8Array): void {
    this.#through = storedKey.slice(TABLE_PREFIX_BYTES)
  }

  readAll(): void {
    this.#whole = true
  }

  /** Returns the bounds of what was read, as stored keys of a table; `undefined` if nothing was. */
  boundsIn(tableId: number): KeyBounds | undefined {
    const bounds = keyBounds(tableId, this.#scan.range.encoded())
    if (this.#whole) return isEmptyRange(bounds) ? undefined : bounds
    if (this.#through === undefined) return undefined
    const last = { key: prefixedKey(tableId, this.#through), inclusive: true }
    return this.#scan.reverse ? { ...bounds, lower: last } : { ...bounds, upper: last }
  }
}

/** Keys and ranges that a transaction has read, which must be unchanged when it commits. */
export class ReadSet {
  readonly keys: KeySet
  readonly ranges: Map<string, ReadRange[]> = new Map()
  /** The tables that it has read, with their ids at that time; `undefined` if absent. */
  readonly tableIds: Map<string, number | undefined> = new Map()

  /** Takes over the keys. */
  constructor(keys: KeySet = new KeySet()) {
    this.keys = keys
  }

  addRange(table: string, range: ReadRange): void {
    const ranges = this.ranges.get(table)
    if (ranges === undefined) this.ranges.set(table, [range])
    else ranges.push(range)
  }

  /** Returns the name of a table in which the writes change something that was read. */
  async changedBy(writes: KeySet, slice: TimeSlice): Promise<string | undefined> {
    for (const [table, keys] of writes.tables) {
      if (await this.keys.sharesKeyOf(table, writes, slice)) return table
      for (const range of this.ranges.get(table) ?? []) {
        const bounds = range.boundsIn(0)
        if (bounds === undefined) continue
        for (const key of keys.values()) {
          if (isWithin(prefixedKey(0, key), bounds)) return table
          const turn = slice.step()
          if (turn !== undefined) await turn
        }
      }
    }
    return undefined
  }
}

function isWithin(key: Uint8Array, { lower, upper }: KeyBounds): boolean {
  const low = compareBytes(key, lower.key)
  const high = compareBytes(key, upper.key)
  return (
    (low > 0 || (low === 0 && lower.inclusive)) && (high < 0 || (high === 0 && upper.inclusive))
  )
}
