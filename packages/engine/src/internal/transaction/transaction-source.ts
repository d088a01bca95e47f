import type { TimeSlice } from '@firn/env'
import type { TableState } from '@firn/manifest'
import type { RecordKind } from '@firn/mvcc'
import type { TakenMoment } from '../arguments/moment.js'
import type { SnapshotHandle } from '../handles/snapshot-handle.js'
import { Memtable } from '../memtable/memtable.js'
import type { TableMemtable } from '../memtable/table-memtable.js'
import type { ReadPoint, ReadSource } from '../read/read-source.js'
import type { TableIdentity } from '../view/table-identity.js'
import type { Tree } from '../view/tree.js'

/** From here on, ids stand for tables that the snapshot doesn't know. */
const PROVISIONAL_ID = 0xe000_0000

/** After all that the snapshot shows, before all commits to come: those have whole microseconds. */
const LATER = 0.5

/**
 * A snapshot with a memtable of a transaction's own over it: a tree that holds both is read as any
 * other.
 */
export class TransactionSource implements ReadSource {
  readonly timestamp: number
  readonly slice: TimeSlice
  readonly pageRows: number
  readonly #snapshot: SnapshotHandle
  #writes: Memtable = new Memtable().retain()
  /** Whether somebody reads `#writes` who mustn't see what is written from now on. */
  #isHeld = false
  /** Tables that the snapshot doesn't know. */
  readonly #newTables: Map<string, TableState> = new Map()
  /** The snapshot's tree with what was written over it, and the tree that it was made of. */
  #own: { tree: Tree; over: Tree } | undefined

  constructor(snapshot: SnapshotHandle) {
    this.#snapshot = snapshot
    this.slice = snapshot.slice
    this.pageRows = snapshot.pageRows
    this.timestamp = snapshot.timestamp + LATER
  }

  /** What was written to a table so far. */
  writesTo(table: TableIdentity): TableMemtable | undefined {
    const id = table.idIn(this.tree().state)
    return id === undefined ? undefined : this.#writes.tables.get(id)
  }

  get writes(): number {
    return this.#writes.records
  }

  /** Copies key and value. */
  write(table: TableIdentity, kind: RecordKind, key: Uint8Array, value: Uint8Array): void {
    if (this.#isHeld) this.#unhold()
    const records = this.#writes.table(table.idIn(this.tree().state) ?? this.#newTable(table))
    records.insert(this.timestamp, kind, key, 0, key.length, value, 0, value.length)
  }

  tree(): Tree {
    const over = this.#snapshot.tree()
    if (this.writes === 0) return over
    if (this.#own?.over !== over) {
      this.#letGo()
      this.#own = { tree: this.#treeOver(over), over }
    }
    return this.#own.tree
  }

  isStale(): boolean {
    return false
  }

  async refresh(): Promise<void> {}

  async refreshFiles(read: Tree, signal?: AbortSignal): Promise<boolean> {
    if (this.tree() !== read) return true
    return this.#snapshot.refreshFiles(this.#snapshot.tree(), signal)
  }

  assertHas(table: TableIdentity, tree: Tree): void {
    this.#snapshot.assertHas(table, tree)
  }

  hold(): ReadPoint {
    this.#isHeld = true
    return { tree: this.tree().retain(), timestamp: this.timestamp }
  }

  /** The past has none of the transaction's writes. */
  holdAt(moment: TakenMoment, signal?: AbortSignal): Promise<ReadPoint> {
    return this.#snapshot.holdAt(moment, signal)
  }

  async close(): Promise<void> {
    this.#letGo()
    this.#writes.release()
    await this.#snapshot.close()
  }

  #treeOver(tree: Tree): Tree {
    if (this.#newTables.size === 0) return tree.under(this.#writes, tree.state)
    const tables = new Map(tree.state.tables)
    const tableIds = new Map(tree.state.tableIds)
    for (const table of this.#newTables.values()) {
      tables.set(table.id, table)
      tableIds.set(table.name, table.id)
    }
    return tree.under(this.#writes, { ...tree.state, tables, tableIds })
  }

  #newTable({ name, creationOptions: options }: TableIdentity): number {
    const id = PROVISIONAL_ID + this.#newTables.size
    const { version } = this.#snapshot
    this.#newTables.set(name, {
      id,
      name,
      options,
      createdAt: version,
      historyFloor: 0,
      levels: [],
    })
    this.#letGo()
    return id
  }

  /** Goes on in a copy of what was written. */
  #unhold(): void {
    const copy = new Memtable().retain()
    for (const [id, table] of this.#writes.tables) table.copyAfter(-1, copy.table(id))
    this.#letGo()
    this.#writes.release()
    this.#writes = copy
    this.#isHeld = false
  }

  #letGo(): void {
    this.#own?.tree.release()
    this.#own = undefined
  }
}
