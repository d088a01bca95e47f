import { type CursorStatus, END, POSITIONED, type RecordCursor } from '@firn/mvcc'
import type { Memtable } from './memtable.js'
import { MemtableCursor } from './memtable-cursor.js'

/** Yields all versions of all tables of a memtable, in SST order. Forward only, from the start. */
export class FlushCursor implements RecordCursor {
  readonly reverse = false
  readonly stable = true
  keyBytes: Uint8Array = EMPTY
  keyStart = 0
  keyEnd = 0
  timestamp = 0
  kind = 0
  valueBytes: Uint8Array = EMPTY
  valueStart = 0
  valueEnd = 0

  readonly #cursors: MemtableCursor[]
  #index = -1

  /** `includes` selects the tables to write: records of dropped tables are left out. */
  constructor(memtable: Memtable, includes: (tableId: number) => boolean) {
    this.#cursors = [...memtable.tables.values()]
      .filter((table) => table.keyCount > 0 && includes(table.tableId))
      .sort((a, b) => a.tableId - b.tableId)
      .map((table) => new MemtableCursor(table))
  }

  first(): CursorStatus {
    this.#index = -1
    return this.#nextTable()
  }

  next(): CursorStatus {
    const cursor = this.#cursors[this.#index]
    if (cursor === undefined) return END
    return cursor.next() === POSITIONED ? this.#take(cursor) : this.#nextTable()
  }

  seek(): CursorStatus {
    throw new Error('a flush reads a memtable from its start')
  }

  async load(): Promise<CursorStatus> {
    return END
  }

  close(): void {}

  #nextTable(): CursorStatus {
    for (;;) {
      const cursor = this.#cursors[++this.#index]
      if (cursor === undefined) return END
      if (cursor.first() === POSITIONED) return this.#take(cursor)
    }
  }

  #take(cursor: MemtableCursor): CursorStatus {
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

const EMPTY = new Uint8Array(0)
