import type { DatabaseState, FileMeta } from '@firn/manifest'
import { tableIdAt } from '@firn/mvcc'
import type { FileCache, OpenFile } from '../files/file-cache.js'
import type { Memtable } from '../memtable/memtable.js'
import { levelZeroRuns } from './level-zero-runs.js'
import { TableView } from './table-view.js'

/**
 * A state as readers see it: memtables and files. A view is made when its shape changes (a memtable
 * is sealed, files are added or removed), not for every commit: the active memtable grows under it,
 * and readers name the timestamp that they read at. A view counts its holders. Its files stay on
 * disk, and its memtables in memory, until all have released it.
 */
export class View {
  readonly state: DatabaseState
  readonly active: Memtable
  /** Newest first. */
  readonly immutables: readonly Memtable[]
  /** Number of sorted runs in level 0; a read may have to look into one file of each. */
  readonly level0Runs: number
  /**
   * The timestamp since when every change came as a log entry. Earlier changes may have come with a
   * checkpoint.
   */
  readonly knownFrom: number
  readonly #files: FileCache
  readonly #handles: Map<string, OpenFile> = new Map()
  readonly #tables: Map<number, TableView> = new Map()
  #holders = 1

  constructor(
    state: DatabaseState,
    active: Memtable,
    immutables: readonly Memtable[],
    files: FileCache,
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

  /** Returns the view's part of one table; `undefined` if the state doesn't have the table. */
  table(id: number): TableView | undefined {
    let table = this.#tables.get(id)
    if (table === undefined) {
      const known = this.state.tables.get(id)
      if (known === undefined) return undefined
      table = new TableView({
        tableId: id,
        historyFloor: known.historyFloor,
        active: this.active,
        immutables: this.immutables,
        level0: levelZeroRuns(
          this.state.level0
            .filter((meta) => tableIdAt(meta.smallest, 0) <= id && id <= tableIdAt(meta.largest, 0))
            .map((meta) => this.#handle(meta)),
          ({ meta }) => meta,
        ),
        levels: known.levels.map((level) => level.map((meta) => this.#handle(meta))),
      })
      this.#tables.set(id, table)
    }
    return table
  }

  get files(): Iterable<OpenFile> {
    return this.#handles.values()
  }

  /** Returns a view with a memtable over this one. `state` may know more tables. */
  under(memtable: Memtable, state: DatabaseState): View {
    return new View(state, memtable, [this.active, ...this.immutables], this.#files, this.knownFrom)
  }

  retain(): this {
    if (this.#holders === 0) throw new Error('a view was held after its release')
    this.#holders++
    return this
  }

  release(): void {
    if (this.#holders === 0) throw new Error('a view was released more often than it was held')
    if (--this.#holders > 0) return
    for (const memtable of [this.active, ...this.immutables]) memtable.release()
    for (const handle of this.#handles.values()) this.#files.release(handle)
    this.#handles.clear()
  }

  #hold(meta: FileMeta): void {
    if (!this.#handles.has(meta.id)) this.#handles.set(meta.id, this.#files.retain(meta))
  }

  #handle(meta: FileMeta): OpenFile {
    const handle = this.#handles.get(meta.id)
    if (handle === undefined) throw new Error(`file ${meta.id} is not of this view`)
    return handle
  }
}
