import { type RecordKind, TABLE_PREFIX_BYTES, writeTablePrefix } from '@firn/mvcc'
import { SstLookup, type SstReader } from '@firn/sst'
import type { OpenFile } from '../files/file-cache.js'

/** A file that a search needs to continue. */
interface MissingBlock {
  readonly handle: OpenFile
  /** The reader that lacked a block; `undefined` if the file was closed. */
  readonly asked: SstReader | undefined
}

/**
 * A point read under way: the key it asks for and, once found, the place of its value. All
 * synchronous reads of a table reuse one lookup; a read that has to wait takes it away.
 */
export class PointLookup {
  /** Table prefix, then the user key. */
  key: Uint8Array
  keyEnd: number = TABLE_PREFIX_BYTES
  timestamp = 0
  readonly sst: SstLookup = new SstLookup()

  // The timestamp of the newest version found so far; -1 if none.
  foundTimestamp = -1
  kind: RecordKind = 0
  valueBytes: Uint8Array
  valueStart = 0
  valueEnd = 0

  /** Progress of the search: the source to continue with. */
  stage = 0
  /** The file that the search waits for. */
  missing: MissingBlock | undefined

  constructor(tableId: number, capacity = 64) {
    this.key = new Uint8Array(TABLE_PREFIX_BYTES + capacity)
    this.valueBytes = this.key
    writeTablePrefix(this.key, 0, tableId)
  }

  /**
   * Starts a search for the newest version of a user key at or before a timestamp. Copies the key.
   */
  set(key: Uint8Array, timestamp: number): void {
    const end = TABLE_PREFIX_BYTES + key.length
    if (end > this.key.length) {
      const larger = new Uint8Array(end * 2)
      larger.set(this.key.subarray(0, TABLE_PREFIX_BYTES))
      this.key = larger
    }
    const target = this.key
    for (let i = 0, at = TABLE_PREFIX_BYTES; at < end; i++, at++) target[at] = key[i] as number
    this.keyEnd = end
    this.timestamp = timestamp
    this.foundTimestamp = -1
    this.stage = 0
    this.missing = undefined
    // Files have whole timestamps. A transaction's may lie half a microsecond after one, which only
    // its own writes, in memory, reach.
    this.sst.set(target, 0, end, Math.floor(timestamp))
  }

  get userKey(): Uint8Array {
    return this.key.subarray(TABLE_PREFIX_BYTES, this.keyEnd)
  }

  /** Takes the result of a file's search. */
  takeSst(): void {
    const { sst } = this
    this.foundTimestamp = sst.foundTimestamp
    this.kind = sst.kind
    this.valueBytes = sst.valueBytes
    this.valueStart = sst.valueStart
    this.valueEnd = sst.valueEnd
  }
}
