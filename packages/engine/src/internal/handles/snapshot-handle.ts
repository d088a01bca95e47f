import { ClosedError, type TimeSlice } from '@firn/env'
import { tableDropped } from '../../errors.js'
import type { Snapshot } from '../../snapshot.js'
import type { ReadableTable } from '../../table.js'
import type { KeyOf, TableOptions, TypingOptions, ValueOf } from '../../table-options.js'
import type { TakenMoment } from '../arguments/moment.js'
import type { LiveSource, ReadPoint, ReadSource } from '../read/read-source.js'
import { TableReader } from '../read/table-reader.js'
import { TableIdentity } from '../view/table-identity.js'
import type { View } from '../view/view.js'

/** Holds a view, and reads it at a fixed timestamp. */
export class SnapshotHandle implements Snapshot, ReadSource {
  readonly version: number
  readonly timestamp: number
  readonly #head: LiveSource
  readonly #onClose: (snapshot: SnapshotHandle) => void
  readonly #tableIds: ReadonlyMap<string, number>
  #view: View | undefined

  /** Takes over `point`, and releases its view at close. */
  constructor(
    version: number,
    point: ReadPoint,
    head: LiveSource,
    onClose: (snapshot: SnapshotHandle) => void,
  ) {
    this.version = version
    this.timestamp = point.timestamp
    this.#view = point.view
    this.#tableIds = point.view.state.tableIds
    this.#head = head
    this.#onClose = onClose
  }

  // Getters on the class, because a snapshot may be passed as a moment, which has no such members.
  get slice(): TimeSlice {
    return this.#head.slice
  }

  get pageRows(): number {
    return this.#head.pageRows
  }

  /** The ids of the snapshot's tables, by name. */
  get tableIds(): ReadonlyMap<string, number> {
    return this.#tableIds
  }

  table<const O extends TypingOptions>(
    name: string,
    options: O,
  ): ReadableTable<KeyOf<O>, ValueOf<O>>
  table<K = Uint8Array, V = Uint8Array>(
    name: string,
    options?: TableOptions<K, V>,
  ): ReadableTable<K, V>
  table(name: string, options: TypingOptions = {}): ReadableTable<never, never> {
    const identity = new TableIdentity(name, options as TableOptions<never, never>)
    identity.idIn(this.view().state)
    return new TableReader<never, never>(identity, this)
  }

  view(): View {
    if (this.#view === undefined) throw this.#closed()
    return this.#view
  }

  /** Closing a database closes its snapshots, including those of transactions. */
  #closed(): ClosedError {
    return new ClosedError(
      this.#head.isOpen
        ? 'the snapshot is closed; take another one with db.snapshot()'
        : 'the database was closed, which ended all its snapshots and transactions; open it again, and close it when they have ended',
    )
  }

  isStale(): boolean {
    return false
  }

  async refresh(): Promise<void> {}

  /**
   * After a compaction by another process, its files replace the held ones. They hold the same
   * records of this moment, or the floor that the compaction left refuses the read.
   */
  async refreshFiles(read: View, signal?: AbortSignal): Promise<boolean> {
    if (this.view() !== read) return true
    await this.#head.refreshFiles(read, signal)
    const view = this.#head.view()
    if (view === read || this.#view !== read) return this.#view !== read
    this.#view = view.retain()
    read.release()
    return true
  }

  /** Replacement files may belong to a state in which some tables are dropped. */
  assertHas(table: TableIdentity, view: View): void {
    const id = this.#tableIds.get(table.name)
    if (id !== undefined && table.idIn(view.state) !== id) throw tableDropped(table.name)
  }

  hold(): ReadPoint {
    return { view: this.view().retain(), timestamp: this.timestamp }
  }

  holdAgain(): View {
    return this.view().retain()
  }

  async holdAt(moment: TakenMoment, signal?: AbortSignal): Promise<ReadPoint> {
    const timestamp = await this.#head.timestampOf(moment, signal)
    const point = this.hold()
    point.timestamp = Math.min(point.timestamp, timestamp)
    return point
  }

  async close(): Promise<void> {
    this.#view?.release()
    this.#view = undefined
    this.#onClose(this)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}
