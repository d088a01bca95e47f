import { compareRanges } from '@firn/bytes'
import { isFirnError, separateSignals, type TimeSlice } from '@firn/env'
import {
  type CursorStatus,
  END,
  MergingCursor,
  PENDING,
  POSITIONED,
  type RecordCursor,
  TABLE_PREFIX_BYTES,
  VisibleCursor,
} from '@firn/mvcc'
import type { Pause } from '@firn/sst'
import { type Encoding, isBytes } from '../../encoding.js'
import type { OpenFile } from '../files/file-cache.js'
import { LevelCursor } from '../files/level-cursor.js'
import { MemtableCursor } from '../memtable/memtable-cursor.js'
import type { TableView } from '../view/table-view.js'
import type { View } from '../view/view.js'
import { isEmptyRange, type KeyBounds, overlaps } from './key-bounds.js'

// This many rows count as one step of a time slice; for more, the clock is read.
const FEW_ROWS = 64
const MAX_PAGE_BYTES = 1024 * 1024
// Number of deleted rows and old versions skipped between two looks at the clock.
const MOST_UNSEEN = 2000
// Above this limit, files are read ahead: the caller will likely ask for many rows.
const READ_AHEAD_ROWS = 1000
// Up to this limit a scan tells its cursors how many rows it will read.
const SHORT_SCAN_ROWS = 200

export interface PageReaderOptions {
  tableId: number
  timestamp: number
  bounds: KeyBounds
  reverse: boolean
  limit: number
  signal: AbortSignal | undefined
  what: 'entries' | 'keys' | 'values'
  /** Whether each key and value gets a buffer of its own. */
  copy: boolean
  keys: Encoding<never>
  values: Encoding<never>
}

/**
 * A view retained for the reader, and what to read of it; `undefined` if the table doesn't exist.
 */
export type ScanStart = { view: View; options: PageReaderOptions } | undefined

/** A file of a view that was found missing, for the `attempt`th time. */
interface MissingFile {
  view: View
  timestamp: number
  error: unknown
  attempt: number
}

/** Receives the progress of a scan. */
export interface ReadProgress {
  /** Everything up to this stored key was read. The key is valid only during the call. */
  readThrough(storedKey: Uint8Array): void
  /** Everything was read. */
  readAll(): void
}

/** The source of a reader's rows. */
export interface PageSource {
  range?: ReadProgress | undefined
  /** Decides when to give others a turn. */
  slice: TimeSlice
  begin: () => ScanStart | Promise<ScanStart>
  /**
   * Returns the same moment on newer files, after a file was found missing. Throws if no newer
   * files exist.
   */
  continueAt: (missing: MissingFile) => Promise<ScanStart>
}

const WAITING = Symbol('waiting')

/** Reads the visible rows of a range page by page. Holds its view until it is closed or ends. */
export class PageReader {
  readonly #source: PageSource
  #begun = false
  #closed = false
  #view: View | undefined
  #options: PageReaderOptions | undefined
  #cursor: RecordCursor | undefined
  /** Stops the cursor from listening to the caller's signal. */
  #endSignals: (() => void) | undefined
  #status: CursorStatus = END
  #remaining = Number.POSITIVE_INFINITY
  /** Key of the last row that was read, table prefix included. */
  #lastKey: Uint8Array | undefined
  /** Files found missing since the last page. */
  #missingFiles = 0

  constructor(source: PageSource) {
    this.#source = source
  }

  get slice(): TimeSlice {
    return this.#source.slice
  }

  /** The signal that ends the reader; `undefined` before the first `next` has begun. */
  get signal(): AbortSignal | undefined {
    return this.#options?.signal
  }

  /** Returns up to `rows` rows; `undefined` at the end. Waits only for I/O. */
  async next(rows: number): Promise<unknown[] | undefined> {
    if (!this.#begun) {
      this.#begun = true
      const begun = this.#source.begin()
      // Not `instanceof`: if a library has replaced the global Promise, `async` functions return
      // another class.
      const start = isPromise(begun) ? await begun : begun
      if (this.#closed) {
        start?.view.release()
        return undefined
      }
      this.#start(start)
    }
    const page: unknown[] = []
    try {
      do {
        const turn = this.#turn(rows)
        if (turn !== undefined) await turn
        this.signal?.throwIfAborted()
        if (this.#status === PENDING) await this.#load()
      } while (this.#fill(page, rows) === WAITING)
      this.signal?.throwIfAborted()
    } catch (error) {
      this.close()
      throw error
    }
    const { range } = this.#source
    this.#missingFiles = 0
    if (page.length > 0) {
      if (this.#lastKey !== undefined) range?.readThrough(this.#lastKey)
      return page
    }
    // If the limit ended the scan, nothing is known about later keys.
    if (this.#remaining > 0) range?.readAll()
    this.close()
    return undefined
  }

  /** Returns the turn that others get before the next `rows` rows, if it is time for one. */
  #turn(rows: number): Promise<void> | undefined {
    if (this.#status === END) return undefined
    const { slice } = this.#source
    return Math.min(rows, this.#remaining) <= FEW_ROWS ? slice.step() : slice.look()
  }

  async #load(): Promise<void> {
    const cursor = this.#cursor
    if (cursor === undefined) return
    try {
      this.#status = await cursor.load()
    } catch (error) {
      await this.#continue(error)
    }
  }

  /** Continues after the last row, on the files that replaced a missing one. */
  async #continue(error: unknown): Promise<void> {
    const options = this.#options
    const view = this.#view
    const isMissing = isFirnError(error, 'FIRN_OBJECT_NOT_FOUND')
    if (options === undefined || view === undefined || !isMissing) throw error
    const attempt = ++this.#missingFiles
    const { timestamp, reverse } = options
    const start = await this.#source.continueAt({ view, timestamp, error, attempt })
    if (this.#closed) {
      start?.view.release()
      return
    }
    const remaining = this.#remaining
    this.#release()
    if (start !== undefined && this.#lastKey !== undefined) {
      const behind = { key: this.#lastKey, inclusive: false }
      const { bounds } = start.options
      start.options.bounds = reverse ? { ...bounds, upper: behind } : { ...bounds, lower: behind }
    }
    this.#start(start)
    this.#remaining = remaining
  }

  close(): void {
    this.#closed = true
    this.#release()
  }

  #release(): void {
    this.#cursor?.close()
    this.#cursor = undefined
    this.#endSignals?.()
    this.#endSignals = undefined
    this.#view?.release()
    this.#view = undefined
  }

  #start(start: ScanStart): void {
    if (start === undefined) return
    const { view, options } = start
    this.#view = view
    this.#options = options
    this.#remaining = options.limit
    const table = view.table(options.tableId)
    if (table === undefined || options.limit === 0 || isEmptyRange(options.bounds)) {
      this.close()
      return
    }
    const { cursor, end } = visibleCursor(table, options, this.slice.pause)
    this.#endSignals = end
    const from = options.reverse ? options.bounds.upper : options.bounds.lower
    this.#cursor = cursor
    this.#status = cursor.seek(from.key, 0, from.key.length, from.inclusive)
  }

  #fill(page: unknown[], maxRows: number): typeof WAITING | undefined {
    const cursor = this.#cursor
    const options = this.#options
    if (cursor === undefined || options === undefined) return undefined
    const { reverse, bounds, what } = options
    const last = reverse ? bounds.lower : bounds.upper
    const lastKey = last.key
    const sign = reverse ? -1 : 1
    const isRaw = isBytes(options.keys) && isBytes(options.values) && !options.copy
    const first = page.length
    const wanted = Math.min(maxRows, first + this.#remaining)
    let status = this.#status
    let bytes = 0
    let lastBytes: Uint8Array | undefined
    let lastStart = 0
    let lastEnd = 0
    while (status === POSITIONED && page.length < wanted && bytes < MAX_PAGE_BYTES) {
      const order =
        sign *
        compareRanges(cursor.keyBytes, cursor.keyStart, cursor.keyEnd, lastKey, 0, lastKey.length)
      if (order > 0 || (order === 0 && !last.inclusive)) {
        status = END
        break
      }
      bytes += cursor.keyEnd - cursor.keyStart + cursor.valueEnd - cursor.valueStart
      if (what === 'entries') page.push([userKey(cursor), storedValue(cursor)])
      else page.push(what === 'keys' ? userKey(cursor) : storedValue(cursor))
      lastBytes = cursor.keyBytes
      lastStart = cursor.keyStart
      lastEnd = cursor.keyEnd
      status = cursor.next()
    }
    this.#remaining -= page.length - first
    // A copy, because the caller owns the rows from now on and may overwrite them.
    if (lastBytes !== undefined && (status === PENDING || this.#source.range !== undefined)) {
      this.#lastKey = lastBytes.slice(lastStart, lastEnd)
    }
    if (!isRaw) decodeRows(page, first, options)
    if (this.#remaining === 0) status = END
    this.#status = status
    return status === PENDING && page.length < wanted ? WAITING : undefined
  }
}

function isPromise<T>(value: T | Promise<T>): value is Promise<T> {
  return typeof (value as { then?: unknown } | undefined)?.then === 'function'
}

/**
 * Decodes the rows from `first` on, in place, once the cursor has passed them: a decoder may
 * overwrite them.
 */
function decodeRows(page: unknown[], first: number, options: PageReaderOptions): void {
  const { what, copy, keys, values } = options
  const decodeKey = (key: Uint8Array): unknown => keys.decode(copy ? key.slice() : key)
  const decodeValue = (value: Uint8Array): unknown => values.decode(copy ? value.slice() : value)
  for (let i = first; i < page.length; i++) {
    if (what === 'keys') page[i] = decodeKey(page[i] as Uint8Array)
    else if (what === 'values') page[i] = decodeValue(page[i] as Uint8Array)
    else {
      const row = page[i] as unknown[]
      row[0] = decodeKey(row[0] as Uint8Array)
      row[1] = decodeValue(row[1] as Uint8Array)
    }
  }
}

// The cursors below return memory that no other code holds, so views of it may go to callers.

function userKey({ keyBytes, keyStart, keyEnd }: RecordCursor): Uint8Array {
  const start = keyStart + TABLE_PREFIX_BYTES
  return new Uint8Array(keyBytes.buffer, keyBytes.byteOffset + start, keyEnd - start)
}

function storedValue({ valueBytes, valueStart, valueEnd }: RecordCursor): Uint8Array {
  return new Uint8Array(
    valueBytes.buffer,
    valueBytes.byteOffset + valueStart,
    valueEnd - valueStart,
  )
}

/**
 * Returns the rows of a table that are visible at the timestamp, from everything the view holds of
 * it.
 */
function visibleCursor(
  table: TableView,
  options: PageReaderOptions,
  pause: Pause,
): { cursor: RecordCursor; end: () => void } {
  const { timestamp, reverse, signal } = options
  const cursors: RecordCursor[] = []
  for (const memtable of [table.active, ...table.immutables]) {
    if (memtable !== undefined && memtable.minTimestamp <= timestamp) {
      cursors.push(new MemtableCursor(memtable, { reverse, timestamp }))
    }
  }
  const readAheadBytes = options.limit > READ_AHEAD_ROWS ? 256 * 1024 : 0
  const files: (readonly OpenFile[])[] = table.level0
    .map(({ handles }) => handles.filter(({ meta }) => overlaps(meta, options.bounds)))
    .filter(([first]) => first !== undefined && first.meta.minTimestamp <= timestamp)
  for (const level of table.levels) files.push(level.handles)
  const expectedRows = expectedPerSource(options.limit, files.length)
  const { signals, end } = separateSignals(signal, files.length)
  for (const [i, handles] of files.entries()) {
    const reading = { reverse, readAheadBytes, expectedRows, signal: signals[i], pause }
    cursors.push(new LevelCursor(handles, reading))
  }
  const merged = cursors.length === 1 ? cursors[0] : undefined
  const cursor = new VisibleCursor(merged ?? new MergingCursor(cursors, { reverse }), {
    timestamp,
    reverse,
    mostUnseen: MOST_UNSEEN,
  })
  return { cursor, end }
}

/**
 * Estimates how many of a short scan's rows come from one file: its share, and somewhat more, as
 * rows are spread unevenly. `undefined` for a scan that isn't short.
 */
function expectedPerSource(limit: number, sources: number): number | undefined {
  if (limit > SHORT_SCAN_ROWS) return undefined
  const share = limit / sources
  return Math.min(limit, Math.ceil(share + Math.sqrt(share)))
}
