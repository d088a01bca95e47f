import type { TimeSlice } from '@firn/env'
import type { DatabaseState, TableState } from '@firn/manifest'
import type { RecordKind } from '@firn/mvcc'
import type { TakenMoment } from '../arguments/moment.js'
import type { SnapshotHandle } from '../handles/snapshot-handle.js'
import { Memtable } from '../memtable/memtable.js'
import type { MemtablePartition } from '../memtable/memtable-partition.js'
import type { ReadPoint, ReadSource } from '../read/read-source.js'
import type { TableIdentity } from '../view/table-identity.js'
import type { View } from '../view/view.js'

/** Ids from here on stand for tables that the snapshot doesn't know. */
const PROVISIONAL_ID = 0xe000_0000

/**
 * After everything in the snapshot, and before all later commits, which have whole microseconds.
 */
const LATER = 0.5

/**
 * Puts a memtable of the transaction's writes over a snapshot, in one view that is read like any
 * other.
 */
export class TransactionSource implements ReadSource {
  readonly timestamp: number
  readonly slice: TimeSlice
  readonly pageRows: number
  readonly #snapshot: SnapshotHandle
  #writes: Memtable = new Memtable().retain()
  /** True while a reader of `#writes` must not see later writes. */
  #isHeld = false
  /** Tables that the snapshot doesn't know. */
  readonly #newTables: Map<string, TableState> = new Map()
  /** The snapshot's view with the writes on top, and the view it was made from. */
  #own: { view: View; over: View } | undefined
  /** What views with writes show: the writes, and the snapshot's view. */
  readonly #shown: WeakMap<View, { writes: Memtable; over: View }> = new WeakMap()

  constructor(snapshot: SnapshotHandle) {
    this.#snapshot = snapshot
    this.slice = snapshot.slice
    this.pageRows = snapshot.pageRows
    this.timestamp = snapshot.timestamp + LATER
  }

  /** Returns the writes to a table so far. */
  writesTo(table: TableIdentity): MemtablePartition | undefined {
    const id = table.idIn(this.view().state)
    return id === undefined ? undefined : this.#writes.tables.get(id)
  }

  get writes(): number {
    return this.#writes.records
  }

  /** Copies key and value. */
  write(table: TableIdentity, kind: RecordKind, key: Uint8Array, value: Uint8Array): void {
    if (this.#isHeld) this.#unhold()
    const records = this.#writes.table(table.idIn(this.view().state) ?? this.#newTable(table))
    records.insert(this.timestamp, kind, key, 0, key.length, value, 0, value.length)
  }

  view(): View {
    const over = this.#snapshot.view()
    if (this.writes === 0) return over
    if (this.#own?.over !== over) {
      this.#letGo()
      this.#own = { view: this.#viewOver(over, this.#writes), over }
    }
    return this.#own.view
  }

  isStale(): boolean {
    return false
  }

  async refresh(): Promise<void> {}

  async refreshFiles(read: View, signal?: AbortSignal): Promise<boolean> {
    const over = this.#shown.get(read)?.over ?? read
    if (this.#snapshot.view() !== over) return true
    return this.#snapshot.refreshFiles(over, signal)
  }

  assertHas(table: TableIdentity, view: View): void {
    this.#snapshot.assertHas(table, view)
  }

  hold(): ReadPoint {
    this.#isHeld = true
    return { view: this.view().retain(), timestamp: this.timestamp }
  }

  holdAgain(before: View): View {
    const over = this.#snapshot.view()
    const shown = this.#shown.get(before)
    return shown === undefined ? over.retain() : this.#viewOver(over, shown.writes)
  }

  /** Without the transaction's writes: a past moment doesn't contain them. */
  holdAt(moment: TakenMoment, signal?: AbortSignal): Promise<ReadPoint> {
    return this.#snapshot.holdAt(moment, signal)
  }

  async close(): Promise<void> {
    this.#letGo()
    this.#writes.release()
    await this.#snapshot.close()
  }

  #viewOver(over: View, writes: Memtable): View {
    const view = over.under(writes, this.#stateOver(over))
    this.#shown.set(view, { writes, over })
    return view
  }

  #stateOver({ state }: View): DatabaseState {
    if (this.#newTables.size === 0) return state
    const tables = new Map(state.tables)
    const tableIds = new Map(state.tableIds)
    for (const table of this.#newTables.values()) {
      tables.set(table.id, table)
      tableIds.set(table.name, table.id)
    }
    return { ...state, tables, tableIds }
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

  /** Continues in a copy of the writes. */
  #unhold(): void {
    const copy = new Memtable().retain()
    for (const [id, table] of this.#writes.tables) table.copyAfter(-1, copy.table(id))
    this.#letGo()
    this.#writes.release()
    this.#writes = copy
    this.#isHeld = false
  }

  #letGo(): void {
    this.#own?.view.release()
    this.#own = undefined
  }
}
