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

/** A view that is held, read at a timestamp that doesn't move. */
export class SnapshotHandle implements Snapshot, ReadSource {
  readonly version: number
  readonly timestamp: number
  readonly #head: LiveSource
  readonly #onClose: (snapshot: SnapshotHandle) => void
  readonly #tableIds: ReadonlyMap<string, number>
  #view: View | undefined

  /** Takes over the view that `point` holds. */
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

  // Getters, as a snapshot can be given as a moment, which has no such members.
  get slice(): TimeSlice {
    return this.#head.slice
  }

  get pageRows(): number {
    return this.#head.pageRows
  }

  /** The tables that it shows. */
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

  /** A database that is closed takes its snapshots with it, those of transactions too. */
  #closed(): ClosedError {
    return new ClosedError(
      this.#head.isOpen
        ? 'the snapshot is closed; take another one with db.snapshot()'
        : 'the database was closed, and with it every snapshot and transaction of it; open it again, and close it when they have ended',
    )
  }

  isStale(): boolean {
    return false
  }

  async refresh(): Promise<void> {}

  /**
   * Where another process compacts, its files replace those that were held. What they hold of this
   * moment is the same, or is refused by the floor that the compaction left.
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

  /**
   * Files that took the place of others may be of a state that some tables have been dropped from.
   */
  assertHas(table: TableIdentity, view: View): void {
    const id = this.#tableIds.get(table.name)
    if (id !== undefined && table.idIn(view.state) !== id) throw tableDropped(table.name)
  }

  hold(): ReadPoint {
    return { view: this.view().retain(), timestamp: this.timestamp }
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
