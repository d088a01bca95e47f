import { type CursorStatus, END, PENDING, POSITIONED, type RecordCursor } from './cursor.js'
import { MergeOrder } from './internal/merge-order.js'

const EMPTY = new Uint8Array(0)

/**
 * Merges several cursors into one, in internal order. If two of them hold a record of the same key
 * and timestamp, only the earlier cursor's is yielded.
 *
 * The cursors must all go in the merge's direction; the merge owns them and closes them. I/O that
 * several of them need is done concurrently.
 */
export class MergingCursor implements RecordCursor {
  readonly reverse: boolean
  /** True if it is true for every cursor. */
  readonly stable: boolean
  keyBytes: Uint8Array = EMPTY
  keyStart = 0
  keyEnd = 0
  timestamp = 0
  kind = 0
  valueBytes: Uint8Array = EMPTY
  valueStart = 0
  valueEnd = 0

  readonly #cursors: readonly RecordCursor[]
  /** The cursors that are on a record, least first. */
  readonly #order: MergeOrder
  /** The cursors whose move waits for I/O. */
  #pending: number[] = []
  #closed = false

  /** `cursors`: newest source first, as ties go to the earlier one. */
  constructor(cursors: readonly RecordCursor[], options: { reverse?: boolean } = {}) {
    this.reverse = options.reverse ?? false
    this.stable = cursors.every((cursor) => cursor.stable)
    this.#cursors = cursors
    this.#order = new MergeOrder(cursors, this.reverse)
  }

  first(): CursorStatus {
    this.#reset()
    for (let i = 0; i < this.#cursors.length; i++) {
      this.#enter(i, (this.#cursors[i] as RecordCursor).first())
    }
    return this.#settle()
  }

  seek(bytes: Uint8Array, start: number, end: number, inclusive: boolean): CursorStatus {
    this.#reset()
    for (let i = 0; i < this.#cursors.length; i++) {
      const cursor = this.#cursors[i] as RecordCursor
      this.#enter(i, cursor.seek(bytes, start, end, inclusive))
    }
    return this.#settle()
  }

  next(): CursorStatus {
    const order = this.#order
    if (order.length === 0) return END
    const least = order.least
    const cursor = this.#cursors[least] as RecordCursor // An index that the order was given.
    const status = cursor.next()
    if (status === POSITIONED) {
      if (order.length === 1) return this.#expose(cursor)
      const loser = order.replaceLeast()
      if (loser < 0) return this.#expose(this.#cursors[order.least] as RecordCursor)
      this.#drop(loser)
    } else {
      order.removeLeast()
      if (status === PENDING) this.#pending.push(least)
    }
    return this.#settle()
  }

  /**
   * If one cursor's load fails, the others finish theirs first; the failed one stays pending, so
   * `load` may be called again.
   */
  async load(): Promise<CursorStatus> {
    while (this.#pending.length > 0) {
      const pending = this.#pending
      this.#pending = []
      const results = await Promise.allSettled(
        pending.map((index) => (this.#cursors[index] as RecordCursor).load()),
      )
      let failure: PromiseRejectedResult | undefined
      for (const [i, result] of results.entries()) {
        const index = pending[i] as number
        if (result.status === 'fulfilled') {
          this.#enter(index, result.value)
        } else {
          this.#pending.push(index)
          failure ??= result
        }
      }
      if (failure !== undefined) throw failure.reason
    }
    return this.#settle()
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#reset()
    for (const cursor of this.#cursors) cursor.close()
  }

  #reset(): void {
    this.#order.clear()
    this.#pending = []
  }

  /** Adds a cursor that moved. Of two equal ones, advances the later. */
  #enter(index: number, status: CursorStatus): void {
    if (status === POSITIONED) {
      const loser = this.#order.insert(index)
      if (loser >= 0) this.#drop(loser)
    } else if (status === PENDING) {
      this.#pending.push(index)
    }
  }

  /** Skips a duplicate, whose cursor is out of the order. */
  #drop(loser: number): void {
    this.#enter(loser, (this.#cursors[loser] as RecordCursor).next())
  }

  #settle(): CursorStatus {
    if (this.#pending.length > 0) return PENDING
    const order = this.#order
    if (order.length === 0) return END
    return this.#expose(this.#cursors[order.least] as RecordCursor)
  }

  #expose(cursor: RecordCursor): CursorStatus {
    this.keyBytes = cursor.keyBytes
    this.keyStart = cursor.keyStart
    this.keyEnd = cursor.keyEnd
    this.timestamp = cursor.timestamp
    this.kind = cursor.kind
    this.valueBytes = cursor.valueBytes
    this.valueStart = cursor.valueStart
    this.valueEnd = cursor.valueEnd
    return POSITIONED
  }
}
