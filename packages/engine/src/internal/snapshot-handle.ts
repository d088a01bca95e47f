import { ClosedError } from '@firn/env'
import type { Moment } from '../range.js'
import type { Snapshot } from '../snapshot.js'
import type { ReadableTable } from '../table.js'
import type { KeyOf, TableOptions, TypingOptions, ValueOf } from '../table-options.js'
import type { Present } from './present.js'
import type { ReadPoint, ReadSource } from './read-source.js'
import { TableIdentity } from './table-identity.js'
import { TableReader } from './table-reader.js'
import type { Tree } from './tree.js'

/** A tree that is held, read at a timestamp that doesn't move. */
export class SnapshotHandle implements Snapshot, ReadSource {
  readonly version: number
  readonly timestamp: number
  readonly #present: Present
  readonly #onClose: (snapshot: SnapshotHandle) => void
  #tree: Tree | undefined

  /** Takes over the tree that `point` holds. */
  constructor(
    version: number,
    point: ReadPoint,
    present: Present,
    onClose: (snapshot: SnapshotHandle) => void,
  ) {
    this.version = version
    this.timestamp = point.timestamp
    this.#tree = point.tree
    this.#present = present
    this.#onClose = onClose
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
    identity.idIn(this.tree().state)
    return new TableReader<never, never>(identity, this)
  }

  tree(): Tree {
    if (this.#tree === undefined) {
      throw new ClosedError('the snapshot is closed; take another one with db.snapshot()')
    }
    return this.#tree
  }

  isStale(): boolean {
    return false
  }

  async refresh(): Promise<void> {}

  /**
   * Where another process compacts, its files replace those that were held. What they hold of this
   * moment is the same, or is refused by the floor that the compaction left.
   */
  async refreshFiles(signal?: AbortSignal): Promise<boolean> {
    const before = this.tree()
    await this.#present.refreshFiles(signal)
    const tree = this.#present.tree()
    if (tree === before || this.#tree !== before) return this.#tree !== before
    this.#tree = tree.retain()
    before.release()
    return true
  }

  hold(): ReadPoint {
    return { tree: this.tree().retain(), timestamp: this.timestamp }
  }

  async holdAt(moment: Moment, signal?: AbortSignal): Promise<ReadPoint> {
    const timestamp = await this.#present.timestampOf(moment, signal)
    const point = this.hold()
    point.timestamp = Math.min(point.timestamp, timestamp)
    return point
  }

  async close(): Promise<void> {
    this.#tree?.release()
    this.#tree = undefined
    this.#onClose(this)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}
