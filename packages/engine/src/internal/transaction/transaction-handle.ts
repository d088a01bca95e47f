import { ClosedError } from '@firn/env'
import { POSITIONED, type RecordKind, TABLE_PREFIX_BYTES } from '@firn/mvcc'
import type { KeyOf, TableOptions, TypingOptions, ValueOf } from '../../table-options.js'
import type { Transaction, TransactionTable } from '../../transaction.js'
import type { Commit } from '../../write-options.js'
import { KeySet } from '../append/key-set.js'
import type { TakenTransactionOptions } from '../arguments/database-options.js'
import type { SnapshotHandle } from '../handles/snapshot-handle.js'
import { BatchWriter } from '../ingest/batch-writer.js'
import type { WriteContext } from '../ingest/write-context.js'
import { MemtableCursor } from '../memtable/memtable-cursor.js'
import { TableIdentity } from '../view/table-identity.js'
import { ReadSet } from './read-set.js'
import { TransactionGuard } from './transaction-guard.js'
import { TransactionSource } from './transaction-source.js'
import { TransactionTableHandle } from './transaction-table-handle.js'

/** One attempt of a transaction, with its reads and writes, until it commits or is given up. */
export class TransactionHandle implements Transaction {
  readonly version: number
  readonly timestamp: number
  /** The source that its tables read from. */
  readonly source: TransactionSource
  readonly reads: ReadSet = new ReadSet()
  committed: Commit | undefined
  readonly #context: WriteContext
  readonly #snapshot: SnapshotHandle
  /** The tables that were written to. */
  readonly #written: Map<string, TableIdentity> = new Map()
  #open = true

  /** Takes over the snapshot. */
  constructor(context: WriteContext, snapshot: SnapshotHandle) {
    this.#context = context
    this.#snapshot = snapshot
    this.version = snapshot.version
    this.timestamp = snapshot.timestamp
    this.source = new TransactionSource(snapshot)
  }

  table<const O extends TypingOptions>(
    name: string,
    options: O,
  ): TransactionTable<KeyOf<O>, ValueOf<O>>
  table<K = Uint8Array, V = Uint8Array>(
    name: string,
    options?: TableOptions<K, V>,
  ): TransactionTable<K, V>
  table(name: string, options: TypingOptions = {}): TransactionTable<never, never> {
    this.#assertOpen()
    const identity = new TableIdentity(name, options as TableOptions<never, never>)
    identity.idIn(this.source.view().state)
    return new TransactionTableHandle<never, never>(identity, this)
  }

  /** Notes that a table is read. */
  noteRead({ name }: TableIdentity): void {
    this.#assertOpen()
    if (!this.reads.tableIds.has(name)) {
      this.reads.tableIds.set(name, this.#snapshot.tableIds.get(name))
    }
  }

  write(table: TableIdentity, kind: RecordKind, key: Uint8Array, value: Uint8Array): void {
    this.#assertOpen()
    this.#context.writer()
    this.source.write(table, kind, key, value)
    if (!this.#written.has(table.name)) this.#written.set(table.name, table)
  }

  /**
   * Commits the writes, or throws `CommitConflictError` if other writes contradict them. The
   * transaction can't be used after the call. `holdsWrites`: see `WriteHold`.
   */
  async commit(
    { isolation, signal }: TakenTransactionOptions,
    holdsWrites: boolean,
  ): Promise<void> {
    this.#assertOpen()
    this.#open = false
    if (this.source.writes === 0) return
    const batch = new BatchWriter(this.#context)
    const writes = new KeySet()
    for (const table of this.#written.values()) await this.#addWrites(table, batch, writes)
    signal?.throwIfAborted()
    const reads = isolation === 'serializable' ? this.reads : this.#readsOf(writes)
    const { slice } = this.source
    const since = this.timestamp
    const guard = new TransactionGuard({ reads, writes, since, holdsWrites, slice })
    this.committed = await batch.commit(guard, signal)
  }

  async close(): Promise<void> {
    this.#open = false
    await this.source.close()
  }

  /** Adds the last write of each key of a table. */
  async #addWrites(table: TableIdentity, batch: BatchWriter, keys: KeySet): Promise<void> {
    const records = this.source.writesTo(table)
    if (records === undefined) return
    const cursor = new MemtableCursor(records)
    for (let status = cursor.first(); status === POSITIONED; status = cursor.next()) {
      const { keyBytes, keyStart, keyEnd, kind, valueBytes, valueStart, valueEnd } = cursor
      const key = keyBytes.slice(keyStart + TABLE_PREFIX_BYTES, keyEnd)
      keys.add(table.name, key)
      batch.add(table, kind, key, valueBytes.subarray(valueStart, valueEnd))
      const turn = this.source.slice.step()
      if (turn !== undefined) await turn
    }
  }

  /**
   * Returns what snapshot isolation checks: that the written keys are unchanged, and their tables
   * still exist.
   */
  #readsOf(writes: KeySet): ReadSet {
    const reads = new ReadSet(writes)
    for (const table of writes.tables.keys()) {
      reads.tableIds.set(table, this.#snapshot.tableIds.get(table))
    }
    return reads
  }

  #assertOpen(): void {
    if (this.#open) return
    throw new ClosedError(
      'the transaction has ended: what it does must be awaited before its function returns',
    )
  }
}
