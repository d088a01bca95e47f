import type { ArenaPool } from './arena-pool.js'
import { MemtablePartition } from './memtable-partition.js'

/**
 * The inline records of consecutive commits, by table: what isn't in files yet. Views count how
 * many hold it, and so does whoever else reads it over a wait: its memory goes to the next memtable
 * when the last one lets go.
 */
export class Memtable {
  readonly tables: Map<number, MemtablePartition> = new Map()
  /** Newest version whose records are in here. */
  maxVersion = 0
  readonly #arenas: ArenaPool | undefined
  #holders = 0

  /** `arenas` is where its arrays come from, where others follow it. */
  constructor(arenas?: ArenaPool) {
    this.#arenas = arenas
  }

  retain(): this {
    this.#holders++
    return this
  }

  release(): void {
    if (this.#holders === 0)
      throw new Error('a memtable was released by somebody who does not hold it')
    if (--this.#holders > 0) return
    for (const table of this.tables.values()) table.release()
    this.tables.clear()
  }

  /** The part of one table, made where it is missing. */
  table(id: number): MemtablePartition {
    let table = this.tables.get(id)
    if (table === undefined) {
      table = new MemtablePartition(id, undefined, this.#arenas)
      this.tables.set(id, table)
    }
    return table
  }

  /** What it holds after a timestamp, as a memtable; itself where that is everything. */
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
