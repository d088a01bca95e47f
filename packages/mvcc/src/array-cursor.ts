import { compareBytes, compareRanges } from '@firn/bytes'
import { type CursorStatus, END, PENDING, POSITIONED, type RecordCursor } from './cursor.js'
import type { RecordKind } from './record.js'

export interface VersionedRecord {
  key: Uint8Array
  timestamp: number
  kind: RecordKind
  value: Uint8Array
}

/** Compares in internal order: key ascending, then timestamp descending. */
export function compareRecords(a: VersionedRecord, b: VersionedRecord): number {
  return compareBytes(a.key, b.key) || b.timestamp - a.timestamp
}

export interface ArrayCursorOptions {
  reverse?: boolean
  /** If false, every move overwrites the previous record's arrays, as a block reader may. */
  stable?: boolean
  /** Called at every move; true makes the move wait for `load`. */
  waits?: () => boolean
  /** Called by `load` before it completes; may reject. */
  onLoad?: () => Promise<void>
}

const POISON = 0xa5

/** A cursor over an array of records in internal order. It can behave like slower cursors. */
export class ArrayCursor implements RecordCursor {
  readonly reverse: boolean
  readonly stable: boolean
  keyBytes: Uint8Array = new Uint8Array(0)
  keyStart = 0
  keyEnd = 0
  timestamp = 0
  kind = 0
  valueBytes: Uint8Array = new Uint8Array(0)
  valueStart = 0
  valueEnd = 0
  closes = 0
  readonly #records: readonly VersionedRecord[]
  readonly #options: ArrayCursorOptions
  #at = -1
  #pending = false

  constructor(records: readonly VersionedRecord[], options: ArrayCursorOptions = {}) {
    const { reverse = false, stable = true } = options
    this.#records = reverse ? [...records].reverse() : records
    this.#options = options
    this.reverse = reverse
    this.stable = stable
  }

  first(): CursorStatus {
    return this.#moveTo(0)
  }

  seek(bytes: Uint8Array, start: number, end: number, inclusive: boolean): CursorStatus {
    const found = this.#records.findIndex(({ key }) => {
      const order = compareRanges(key, 0, key.length, bytes, start, end)
      return (inclusive && order === 0) || (this.reverse ? order < 0 : order > 0)
    })
    return this.#moveTo(found < 0 ? this.#records.length : found)
  }

  next(): CursorStatus {
    return this.#moveTo(this.#at + 1)
  }

  async load(): Promise<CursorStatus> {
    if (!this.#pending) throw new Error('load without a pending move')
    await this.#options.onLoad?.()
    this.#pending = false
    return this.#expose()
  }

  close(): void {
    this.closes++
  }

  #moveTo(at: number): CursorStatus {
    if (this.#pending) throw new Error('a move while another one is pending')
    if (!this.stable) {
      this.keyBytes.fill(POISON)
      this.valueBytes.fill(POISON)
    }
    this.#at = at
    this.#pending = this.#options.waits?.() ?? false
    return this.#pending ? PENDING : this.#expose()
  }

  #expose(): CursorStatus {
    const record = this.#records[this.#at]
    if (record === undefined) return END
    // Odd offsets: a caller must not take a field's array for the field.
    this.keyBytes = padded(record.key, 3)
    this.keyStart = 3
    this.keyEnd = 3 + record.key.length
    this.timestamp = record.timestamp
    this.kind = record.kind
    this.valueBytes = padded(record.value, 1)
    this.valueStart = 1
    this.valueEnd = 1 + record.value.length
    return POSITIONED
  }
}

function padded(bytes: Uint8Array, before: number): Uint8Array {
  const copy = new Uint8Array(before + bytes.length + 1)
  copy.fill(POISON)
  copy.set(bytes, before)
  return copy
}

/** Copies out everything from the record where a move with `status` left the cursor, to the end. */
export async function drain(
  cursor: RecordCursor,
  status: CursorStatus,
): Promise<VersionedRecord[]> {
  const records: VersionedRecord[] = []
  let now = status
  while (now !== END) {
    if (now === PENDING) {
      now = await cursor.load()
    } else {
      records.push({
        key: cursor.keyBytes.slice(cursor.keyStart, cursor.keyEnd),
        timestamp: cursor.timestamp,
        kind: cursor.kind,
        value: cursor.valueBytes.slice(cursor.valueStart, cursor.valueEnd),
      })
      now = cursor.next()
    }
  }
  return records
}
