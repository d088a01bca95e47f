import type { ArenaPool } from './arena-pool.js'
import { MemtablePartition } from './memtable-partition.js'

/**
 * The inline records of consecutive commits, by table: records that aren't in files yet. Counts its
 * holders: views, and other readers that wait while they read. When the last one releases it, its
 * memory goes to the next memtable.
 */
export class Memtable {
  readonly tables: Map<number, MemtablePartition> = new Map()
  /** Newest version whose records are in this memtable. */
  maxVersion = 0
  readonly #arenas: ArenaPool | undefined
  #holders = 0

  /** `arenas`: provides its arrays, if other memtables follow it. */
  constructor(arenas?: ArenaPool) {
    this.#arenas = arenas
  }

  retain(): this {
    this.#holders++
    return this
  }

  release(): void {
    if (this.#holders === 0) throw new Error('a memtable was released more often than it was held')
    if (--this.#holders > 0) return
    for (const table of this.tables.values()) table.release()
    this.tables.clear()
  }

  /** Returns one table's part, creating it if it is missing. */
  table(id: number): MemtablePartition {
    let table = this.tables.get(id)
    if (table === undefined) {
      table = new MemtablePartition(id, undefined, this.#arenas)
      this.tables.set(id, table)
    }
    return table
  }

  /** Returns the records after a timestamp as a memtable: this one if that is all of them. */
  after(timestamp: number): Memtable {
    const tables = [...this.tables.values()]
    if (tables.every((table) => table.minTimestamp > timestamp)) return this
    const rest = new Memtable(this.#arenas)
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
