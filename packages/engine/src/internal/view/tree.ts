import type { DatabaseState, FileMeta } from '@firn/manifest'
import type { FileHandle, FileTable } from '../files/file-table.js'
import type { Memtable } from '../memtable/memtable.js'
import { levelZeroRuns } from './level-zero-runs.js'
import { TableTree } from './table-tree.js'

/**
 * What a state looks like to readers: memtables and files. A tree is made when its shape changes (a
 * memtable is sealed, files come or go), not for every commit: the active memtable grows under it,
 * and readers name the timestamp that they read at.
 *
 * Trees count who holds them. The files of a tree stay on disk, and its memtables in memory, until
 * it is released.
 */
export class Tree {
  readonly state: DatabaseState
  readonly active: Memtable
  /** Newest first. */
  readonly immutables: readonly Memtable[]
  /** How many sorted runs level 0 has: of each, a read may have to look into a file. */
  readonly level0Runs: number
  /**
   * Since this timestamp every change came as an entry of the log. What was changed before may have
   * been taken over with a checkpoint.
   */
  readonly knownFrom: number
  readonly #files: FileTable
  readonly #handles: Map<string, FileHandle> = new Map()
  readonly #tables: Map<number, TableTree> = new Map()
  #holders = 1

  constructor(
    state: DatabaseState,
    active: Memtable,
    immutables: readonly Memtable[],
    files: FileTable,
    knownFrom: number,
  ) {
    this.state = state
    this.knownFrom = knownFrom
    this.active = active
    this.immutables = immutables
    this.#files = files
    this.level0Runs = levelZeroRuns(state.level0, (meta) => meta).length
    for (const memtable of [active, ...immutables]) memtable.retain()
    for (const meta of state.level0) this.#hold(meta)
    for (const table of state.tables.values()) {
      for (const level of table.levels) for (const meta of level) this.#hold(meta)
    }
  }

  /** What there is of one table; `undefined` where the state knows no such table. */
  table(id: number): TableTree | undefined {
    let table = this.#tables.get(id)
    if (table === undefined) {
      const known = this.state.tables.get(id)
      if (known === undefined) return undefined
      table = new TableTree({
        tableId: id,
        historyFloor: known.historyFloor,
        active: this.active,
        immutables: this.immutables,
        level0: levelZeroRuns(
          this.state.level0
            .filter((meta) => prefixOf(meta.smallest) <= id && id <= prefixOf(meta.largest))
            .map((meta) => this.#handle(meta)),
          ({ meta }) => meta,
        ),
        levels: known.levels.map((level) => level.map((meta) => this.#handle(meta))),
      })
      this.#tables.set(id, table)
    }
    return table
  }

  get files(): Iterable<FileHandle> {
    return this.#handles.values()
  }

  /** What this one holds, with a memtable over it. `state` may know more tables. */
  under(memtable: Memtable, state: DatabaseState): Tree {
    return new Tree(state, memtable, [this.active, ...this.immutables], this.#files, this.knownFrom)
  }

  retain(): this {
    if (this.#holders === 0) throw new Error('a tree was held after its release')
    this.#holders++
    return this
  }

  release(): void {
    if (this.#holders === 0) throw new Error('a tree was released by somebody who does not hold it')
    if (--this.#holders > 0) return
    for (const memtable of [this.active, ...this.immutables]) memtable.release()
    for (const handle of this.#handles.values()) this.#files.release(handle)
    this.#handles.clear()
  }

  #hold(meta: FileMeta): void {
    if (!this.#handles.has(meta.id)) this.#handles.set(meta.id, this.#files.retain(meta))
  }

  #handle(meta: FileMeta): FileHandle {
    const handle = this.#handles.get(meta.id)
    if (handle === undefined) throw new Error(`file ${meta.id} is not of this tree`)
    return handle
  }
}

/** The id of the table that a stored key belongs to. */
export function prefixOf(key: Uint8Array): number {
  const [a = 0, b = 0, c = 0, d = 0] = key
  return ((a << 24) | (b << 16) | (c << 8) | d) >>> 0
}
