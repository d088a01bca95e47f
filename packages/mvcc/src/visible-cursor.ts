import { type CursorStatus, END, PENDING, POSITIONED, type RecordCursor } from './cursor.js'
import { KIND_DELETE, MAX_TIMESTAMP } from './record.js'

const EMPTY = new Uint8Array(0)

export interface VisibleCursorOptions {
  /** Versions after this one are invisible. Default: the present. */
  timestamp?: number
  /** Must be the direction of the cursor below. */
  reverse?: boolean
  /**
   * After this many invisible records in a row the cursor returns `PENDING`, though nothing has to
   * be loaded; `load` goes on. For callers that block others meanwhile. Default: never.
   */
  mostUnseen?: number
}

/**
 * A view of a cursor as a reader at a timestamp sees it: the newest version of each key at or
 * before the timestamp, and nothing if that is a delete. Owns the cursor below.
 *
 * Going forward, the first version that is old enough decides its key; the others are skipped by
 * comparing keys from their ends, where neighbours differ. In reverse, a key's versions come oldest
 * first: the cursor holds the latest one that is old enough, and yields it after it has looked at
 * the record behind it. A held record is copied if the cursor below reuses its arrays, and also
 * before waiting: the caller may overwrite a returned row by then.
 */
export class VisibleCursor implements RecordCursor {
  readonly reverse: boolean
  readonly stable: boolean
  keyBytes: Uint8Array = EMPTY
  keyStart = 0
  keyEnd = 0
  timestamp = 0
  kind = 0
  valueBytes: Uint8Array = EMPTY
  valueStart = 0
  valueEnd = 0

  readonly #below: RecordCursor
  readonly #asOf: number
  readonly #mostUnseen: number
  /** Whether it is pending only because of many invisible records. */
  #isPausing = false
  /** Forward: this cursor's key is decided. Reverse: its record is a candidate. */
  #holds = false
  /** Reverse: the position of the cursor below, one step ahead. */
  #ahead: CursorStatus = END
  // Copies of the held record, if the arrays below don't last.
  #keyCopy: Uint8Array = EMPTY
  #valueCopy: Uint8Array = EMPTY

  constructor(below: RecordCursor, options: VisibleCursorOptions = {}) {
    this.#below = below
    this.#asOf = options.timestamp ?? MAX_TIMESTAMP
    this.#mostUnseen = options.mostUnseen ?? Number.POSITIVE_INFINITY
    this.reverse = options.reverse ?? below.reverse
    this.stable = below.stable
  }

  first(): CursorStatus {
    this.#holds = false
    this.#isPausing = false
    return this.#settle(this.#below.first())
  }

  seek(bytes: Uint8Array, start: number, end: number, inclusive: boolean): CursorStatus {
    this.#holds = false
    this.#isPausing = false
    return this.#settle(this.#below.seek(bytes, start, end, inclusive))
  }

  next(): CursorStatus {
    return this.reverse ? this.#settleReverse(this.#ahead) : this.#settleForward(this.#below.next())
  }

  async load(): Promise<CursorStatus> {
    for (;;) {
      const wasPausing = this.#isPausing
      this.#isPausing = false
      const status = this.#settle(wasPausing ? this.#below.next() : await this.#below.load())
      if (status !== PENDING || this.#isPausing) return status
    }
  }

  close(): void {
    this.#below.close()
  }

  #settle(status: CursorStatus): CursorStatus {
    return this.reverse ? this.#settleReverse(status) : this.#settleForward(status)
  }

  #settleForward(start: CursorStatus): CursorStatus {
    const below = this.#below
    const mostUnseen = this.#mostUnseen
    let unseen = 0
    let status = start
    while (status === POSITIONED) {
      if (below.timestamp <= this.#asOf && !(this.#holds && this.#isSameKey(below))) {
        this.#holds = true
        this.#takeKey(below)
        if (below.kind !== KIND_DELETE) {
          this.timestamp = below.timestamp
          this.kind = below.kind
          this.valueBytes = below.valueBytes
          this.valueStart = below.valueStart
          this.valueEnd = below.valueEnd
          return POSITIONED
        }
      }
      if (++unseen > mostUnseen) {
        this.#isPausing = true
        status = PENDING
      } else status = below.next()
    }
    if (status === PENDING && this.#holds && this.stable) this.#copyKey(this)
    return status
  }

  #settleReverse(start: CursorStatus): CursorStatus {
    const below = this.#below
    const mostUnseen = this.#mostUnseen
    let unseen = 0
    let status = start
    while (status === POSITIONED) {
      if (this.#holds && !this.#isSameKey(below)) {
        this.#holds = false
        if (this.kind !== KIND_DELETE) {
          this.#ahead = POSITIONED
          return POSITIONED
        }
      }
      if (below.timestamp <= this.#asOf) this.#hold(below)
      if (++unseen > mostUnseen) {
        this.#isPausing = true
        return PENDING
      }
      status = below.next()
    }
    if (status === PENDING) return PENDING
    this.#ahead = END
    if (!this.#holds) return END
    this.#holds = false
    return this.kind === KIND_DELETE ? END : POSITIONED
  }

  #hold(below: RecordCursor): void {
    this.#holds = true
    this.timestamp = below.timestamp
    this.kind = below.kind
    this.#takeKey(below)
    this.#takeValue(below)
  }

  #isSameKey(below: RecordCursor): boolean {
    const { keyBytes, keyStart } = this
    const length = this.keyEnd - keyStart
    const otherStart = below.keyStart
    if (below.keyEnd - otherStart !== length) return false
    const other = below.keyBytes
    for (let i = length - 1; i >= 0; i--) {
      if (keyBytes[keyStart + i] !== other[otherStart + i]) return false
    }
    return true
  }

  #takeKey(below: RecordCursor): void {
    const { keyBytes, keyStart, keyEnd } = below
    if (this.stable) {
      this.keyBytes = keyBytes
      this.keyStart = keyStart
      this.keyEnd = keyEnd
    } else this.#copyKey(below)
  }

  #copyKey({ keyBytes, keyStart, keyEnd }: RecordCursor): void {
    const length = keyEnd - keyStart
    if (this.#keyCopy.length < length) this.#keyCopy = new Uint8Array(Math.max(64, 2 * length))
    const copy = this.#keyCopy
    // Keys are short: a loop beats `set`, which needs a view. The lengths above keep it in bounds.
    for (let i = 0; i < length; i++) copy[i] = keyBytes[keyStart + i] as number
    this.keyBytes = copy
    this.keyStart = 0
    this.keyEnd = length
  }

  /** In reverse only: going forward, the value is exposed in place. */
  #takeValue(below: RecordCursor): void {
    const { valueBytes, valueStart, valueEnd } = below
    if (this.stable) {
      this.valueBytes = valueBytes
      this.valueStart = valueStart
      this.valueEnd = valueEnd
      return
    }
    const length = valueEnd - valueStart
    if (this.#valueCopy.length < length) this.#valueCopy = new Uint8Array(Math.max(256, 2 * length))
    this.#valueCopy.set(valueBytes.subarray(valueStart, valueEnd))
    this.valueBytes = this.#valueCopy
    this.valueStart = 0
    this.valueEnd = length
  }
}
