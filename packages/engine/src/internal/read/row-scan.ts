import type { TimeSlice } from '@firn/env'
import type { Rows, Scan } from '../../scan.js'
import type { PageReader } from './page-reader.js'

// A loop over single rows begins with a short page, so that leaving it early costs little.
const FIRST_PAGE_ROWS = 64

/** Opens a reader of a scan's rows; `what` names the parts of each row that it needs. */
export type OpenPages = (what: 'entries' | 'keys' | 'values') => PageReader

/** A scan of the rows that `open` reads. Each iteration opens a reader of its own. */
export class RowScan<K, V> implements Scan<K, V> {
  readonly #open: OpenPages
  readonly #pageRows: number
  readonly #entries: Rows<[K, V]>

  /** `pageRows`: the most rows of a page. */
  constructor(open: OpenPages, pageRows: number) {
    this.#open = open
    this.#pageRows = pageRows
    this.#entries = new PagedRows<[K, V]>(() => open('entries'), pageRows)
  }

  [Symbol.asyncIterator](): AsyncIterator<[K, V]> {
    return this.#entries[Symbol.asyncIterator]()
  }

  pages(): AsyncIterable<[K, V][]> {
    return this.#entries.pages()
  }

  toArray(): Promise<[K, V][]> {
    return this.#entries.toArray()
  }

  keys(): Rows<K> {
    return new PagedRows<K>(() => this.#open('keys'), this.#pageRows)
  }

  values(): Rows<V> {
    return new PagedRows<V>(() => this.#open('values'), this.#pageRows)
  }
}

class PagedRows<Row> implements Rows<Row> {
  readonly #open: () => PageReader
  readonly #pageRows: number

  constructor(open: () => PageReader, pageRows: number) {
    this.#open = open
    this.#pageRows = pageRows
  }

  [Symbol.asyncIterator](): AsyncIterator<Row> {
    return new RowIterator<Row>(this.#open(), this.#pageRows)
  }

  async *pages(): AsyncGenerator<Row[], void, undefined> {
    const reader = this.#open()
    try {
      for (;;) {
        const page = await reader.next(this.#pageRows)
        if (page === undefined) return
        yield page as Row[]
      }
    } finally {
      reader.close()
    }
  }

  async toArray(): Promise<Row[]> {
    const rows: Row[] = []
    const reader = this.#open()
    try {
      for (;;) {
        const page = await reader.next(this.#pageRows)
        if (page === undefined) return rows
        if (rows.length === 0 && page.length < this.#pageRows) rows.push(...(page as Row[]))
        else for (const row of page) rows.push(row as Row)
      }
    } finally {
      reader.close()
    }
  }
}

/** Returns the rows of a page without waiting; the loop waits only for a page that needs I/O. */
class RowIterator<Row> implements AsyncIterator<Row> {
  readonly #reader: PageReader
  readonly #slice: TimeSlice
  #signal: AbortSignal | undefined
  #page: unknown[] = []
  #at = 0
  readonly #pageRows: number
  #rows: number
  #ended = false

  constructor(reader: PageReader, pageRows: number) {
    this.#reader = reader
    this.#slice = reader.slice
    this.#pageRows = pageRows
    this.#rows = Math.min(FIRST_PAGE_ROWS, pageRows)
  }

  next(): Promise<IteratorResult<Row>> {
    if (this.#at === this.#page.length) return this.#nextPage()
    const turn = this.#slice.step()
    if (turn !== undefined || this.#signal?.aborted === true) return this.#nextAfter(turn)
    return Promise.resolve({ value: this.#page[this.#at++] as Row, done: false })
  }

  return(): Promise<IteratorResult<Row>> {
    this.#ended = true
    this.#page = []
    this.#at = 0
    this.#reader.close()
    return Promise.resolve({ value: undefined, done: true })
  }

  /** Returns the next row after others had a turn, in which the scan may have been given up. */
  async #nextAfter(turn: Promise<void> | undefined): Promise<IteratorResult<Row>> {
    await turn
    if (this.#signal?.aborted === true) {
      await this.return()
      this.#signal.throwIfAborted()
    }
    if (this.#at === this.#page.length) return this.#nextPage()
    return { value: this.#page[this.#at++] as Row, done: false }
  }

  async #nextPage(): Promise<IteratorResult<Row>> {
    if (this.#ended) return { value: undefined, done: true }
    const page = await this.#reader.next(this.#rows)
    this.#rows = Math.min(this.#rows * 4, this.#pageRows)
    if (page === undefined) {
      this.#ended = true
      this.#reader.close()
      return { value: undefined, done: true }
    }
    this.#page = page
    this.#signal = this.#reader.signal
    this.#at = 1
    return { value: page[0] as Row, done: false }
  }
}
