import { TableMemtable } from './table-memtable.js'

/** The inline records of consecutive commits, by table: what isn't in files yet. */
export class Memtable {
  readonly tables: Map<number, TableMemtable> = new Map()
  /** Newest version whose records are in here. */
  maxVersion = 0
  readonly #expectedBytes: number

  /** `expectedBytes` is the size at which the memtable will be sealed, where that is known. */
  constructor(expectedBytes = 0) {
    this.#expectedBytes = expectedBytes
  }

  /** The part of one table, made where it is missing. */
  table(id: number): TableMemtable {
    let table = this.tables.get(id)
    if (table === undefined) {
      table = new TableMemtable(id, undefined, this.#expectedBytes)
      this.tables.set(id, table)
    }
    return table
  }

  /** What it holds after a timestamp, as a memtable; itself where that is everything. */
  after(timestamp: number): Memtable {
    const tables = [...this.tables.values()]
    if (tables.every((table) => table.minTimestamp > timestamp)) return this
    const rest = new Memtable(this.#expectedBytes)
    rest.maxVersion = this.maxVersion
    for (const table of tables) {
      if (table.maxTimestamp > timestamp) table.copyAfter(timestamp, rest.table(table.tableId))
    }
    return rest
  }

  get memoryBytes(): number {
    let bytes = 0
    for (const table of this.tables.values()) bytes += table.memoryBytes
    return bytes
  }

  get records(): number {
    let records = 0
    for (const table of this.tables.values()) records += table.versionCount
    return records
  }
}
