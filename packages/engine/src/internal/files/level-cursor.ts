import { compareRanges } from '@firn/bytes'
import { type CursorStatus, END, PENDING, type RecordCursor } from '@firn/mvcc'
import type { Pause, SstCursor, SstReader } from '@firn/sst'
import type { OpenFile } from './file-cache.js'
import { firstFileAtOrAfter } from './file-search.js'

export interface LevelCursorOptions {
  reverse: boolean
  readAheadBytes?: number
  /** The likely number of rows to read, if known: see `SstCursorOptions`. */
  expectedRows?: number | undefined
  signal?: AbortSignal | undefined
  /** See `SstCursorOptions`. */
  pause?: Pause | undefined
}

interface Target {
  bytes: Uint8Array
  start: number
  end: number
  inclusive: boolean
}

/**
 * Joins files in key order, without overlap, into one cursor; the shortest list is one file. Opens
 * each file when it reaches it, so a short scan opens one.
 */
export class LevelCursor implements RecordCursor {
  readonly reverse: boolean
  readonly stable = true
  keyBytes: Uint8Array = EMPTY
  keyStart = 0
  keyEnd = 0
  timestamp = 0
  kind = 0
  valueBytes: Uint8Array = EMPTY
  valueStart = 0
  valueEnd = 0

  readonly #handles: readonly OpenFile[]
  readonly #options: LevelCursorOptions
  #index = 0
  #cursor: SstCursor | undefined
  /** The cursor's reader, which is kept open for it. */
  #reader: SstReader | undefined
  /** The target in the file that is being opened; `undefined`: its first record. */
  #target: Target | undefined

  constructor(handles: readonly OpenFile[], options: LevelCursorOptions) {
    this.#handles = handles
    this.#options = options
    this.reverse = options.reverse
  }

  first(): CursorStatus {
    this.#target = undefined
    return this.#enter(this.reverse ? this.#handles.length - 1 : 0)
  }

  seek(bytes: Uint8Array, start: number, end: number, inclusive: boolean): CursorStatus {
    this.#target = { bytes: bytes.slice(start, end), start: 0, end: end - start, inclusive }
    return this.#enter(this.#fileOf(this.#target))
  }

  next(): CursorStatus {
    const cursor = this.#cursor
    if (cursor === undefined) return END
    return this.#settle(cursor.next())
  }

  async load(): Promise<CursorStatus> {
    for (;;) {
      this.#options.signal?.throwIfAborted()
      let status: CursorStatus
      if (this.#cursor === undefined) {
        const handle = this.#handles[this.#index]
        if (handle === undefined) return END
        status = this.#stand(handle, await handle.enter(this.#options.signal))
      } else {
        status = this.#settle(await this.#cursor.load())
      }
      if (status !== PENDING) return status
    }
  }

  close(): void {
    this.#leave()
    this.#index = -1
  }

  #leave(): void {
    this.#cursor?.close()
    this.#cursor = undefined
    if (this.#reader !== undefined) this.#handles[this.#index]?.leave(this.#reader)
    this.#reader = undefined
  }

  /**
   * Moves to the target in a file, or to its first record; continues with the next file if it has
   * none.
   */
  #enter(index: number): CursorStatus {
    this.#leave()
    this.#index = index
    const handle = this.#handles[index]
    if (handle === undefined) return END
    const reader = handle.tryEnter()
    return reader === undefined ? PENDING : this.#stand(handle, reader)
  }

  #stand(handle: OpenFile, reader: SstReader): CursorStatus {
    // The cursor may have been closed while the file was opened.
    if (this.#handles[this.#index] !== handle) {
      handle.leave(reader)
      return END
    }
    const cursor = reader.cursor(this.#options)
    this.#reader = reader
    this.#cursor = cursor
    const target = this.#target
    return this.#settle(
      target === undefined
        ? cursor.first()
        : cursor.seek(target.bytes, target.start, target.end, target.inclusive),
    )
  }

  /** Takes the record at the file's cursor; at its end, enters the next file. */
  #settle(status: CursorStatus): CursorStatus {
    // Closed while it loaded.
    if (this.#cursor === undefined) return END
    if (status === END) {
      this.#target = undefined
      return this.#enter(this.reverse ? this.#index - 1 : this.#index + 1)
    }
    if (status === PENDING) return PENDING
    const cursor = this.#cursor as SstCursor
    this.keyBytes = cursor.keyBytes
    this.keyStart = cursor.keyStart
    this.keyEnd = cursor.keyEnd
    this.timestamp = cursor.timestamp
    this.kind = cursor.kind
    this.valueBytes = cursor.valueBytes
    this.valueStart = cursor.valueStart
    this.valueEnd = cursor.valueEnd
    return status
  }

  #fileOf(target: Target): number {
    const index = firstFileAtOrAfter(this.#handles, target.bytes, target.end)
    if (!this.reverse) return index
    const smallest = this.#handles[index]?.meta.smallest
    const startsBefore =
      smallest !== undefined &&
      compareRanges(smallest, 0, smallest.length, target.bytes, 0, target.end) <= 0
    return startsBefore ? index : index - 1
  }
}

const EMPTY = new Uint8Array(0)
