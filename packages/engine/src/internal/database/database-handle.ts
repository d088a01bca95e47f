import { holding, InvalidArgumentError } from '@firn/env'
import type { TableState } from '@firn/manifest'
import type { Batch } from '../../batch.js'
import type { CompactionReport, Database, EvictOptions } from '../../database.js'
import { ReadOnlyError } from '../../errors.js'
import type { Moment } from '../../range.js'
import { type Explanation, requestsBetween } from '../../request-stats.js'
import type { DatabaseStats } from '../../stats.js'
import type { Table } from '../../table.js'
import type { TableInfo } from '../../table-info.js'
import type { KeyOf, TableOptions, TypingOptions, ValueOf } from '../../table-options.js'
import type { Transaction, TransactionOptions } from '../../transaction.js'
import type { Commit } from '../../write-options.js'
import {
  assertRunnable,
  type TakenSnapshotOptions,
  takeEvictOptions,
  takeSnapshotOptions,
  takeTransactionOptions,
} from '../arguments/database-options.js'
import { assertNone } from '../arguments/members.js'
import { assertTableName } from '../arguments/table-options.js'
import { SnapshotHandle } from '../handles/snapshot-handle.js'
import { TableHandle } from '../handles/table-handle.js'
import { BatchWriter } from '../ingest/batch-writer.js'
import { runTransaction } from '../transaction/run-transaction.js'
import { TransactionHandle } from '../transaction/transaction-handle.js'
import { TableIdentity } from '../view/table-identity.js'
import { tableInfo } from '../view/table-summary.js'
import { closeDatabase } from './close-database.js'
import { databaseStats } from './collect-stats.js'
import type { DatabaseHandleParts, WritingParts } from './database-parts.js'
import type { HeadSource } from './head-source.js'

/** Implements the public interface of an open database with its parts. */
export class DatabaseHandle implements Database {
  readonly #parts: DatabaseHandleParts
  readonly #head: HeadSource
  readonly #snapshots: Set<SnapshotHandle> = new Set()
  #closing: Promise<void> | undefined

  constructor(parts: DatabaseHandleParts) {
    this.#parts = parts
    this.#head = parts.head
  }

  get version(): number {
    return this.#parts.versions.visibleVersion
  }

  table<const O extends TypingOptions>(name: string, options: O): Table<KeyOf<O>, ValueOf<O>>
  table<K = Uint8Array, V = Uint8Array>(name: string, options?: TableOptions<K, V>): Table<K, V>
  table(name: string, options: TypingOptions = {}): Table<never, never> {
    const identity = new TableIdentity(name, options as TableOptions<never, never>)
    identity.idIn(this.#head.view().state)
    return new TableHandle<never, never>(identity, this.#parts.writer, this.#head)
  }

  async tables(): Promise<TableInfo[]> {
    if (this.#head.isStale()) await this.#head.refresh()
    await this.#turn()
    const { state, active, immutables } = this.#head.view()
    return [...state.tables.values()]
      .map((table) => tableInfo(table, state, [active, ...immutables]))
      .sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0))
  }

  async dropTable(name: string, options?: undefined): Promise<Commit> {
    assertTableName(name)
    assertNone('dropTable', options)
    const { committer } = this.#writing('dropTable')
    await committer.flush()
    await this.#head.refresh()
    const table = this.#tableState(name)
    if (table === undefined) {
      throw new InvalidArgumentError(
        `there is no table ${JSON.stringify(name)}; db.tables() lists the existing ones`,
      )
    }
    return committer.commitEdits([{ type: 'drop-table', id: table.id }])
  }

  batch(): Batch {
    this.#head.assertOpen()
    return new BatchWriter(this.#parts.writer)
  }

  async transaction<T>(
    run: (transaction: Transaction) => Promise<T> | T,
    options?: TransactionOptions,
  ): Promise<T> {
    assertRunnable('transaction', run)
    const taken = takeTransactionOptions(options)
    const head = this.#head
    head.assertOpen()
    const runner = {
      env: this.#parts.env,
      begin: async (signal: AbortSignal | undefined) =>
        new TransactionHandle(this.#parts.writer, await this.#snapshot({ at: undefined, signal })),
      refresh: (signal: AbortSignal | undefined) => head.refresh(signal),
      holdWrites: async (signal: AbortSignal | undefined) =>
        this.#parts.writing?.committer.holdWrites(signal),
    }
    return runTransaction(runner, run, taken)
  }

  async snapshot(options?: {
    at?: Moment | undefined
    signal?: AbortSignal | undefined
  }): Promise<SnapshotHandle> {
    return this.#snapshot(takeSnapshotOptions(options))
  }

  async refresh(options?: undefined): Promise<number> {
    assertNone('refresh', options)
    await this.#head.refresh()
    await this.#turn()
    return this.version
  }

  async flush(options?: undefined): Promise<void> {
    assertNone('flush', options)
    this.#head.assertOpen()
    await this.#parts.writing?.committer.flush()
    await this.#turn()
  }

  async compact(options?: undefined): Promise<CompactionReport> {
    assertNone('compact', options)
    const { committer, flusher, compactor } = this.#writing('compact')
    // Compactions that the flush starts in the background count too: they are what the caller asked
    // for.
    const before = { ...compactor.totals }
    await committer.flush()
    flusher.seal()
    await flusher.drain()
    await compactor.drain()
    const { totals, skipped } = compactor
    return {
      compactions: totals.compactions - before.compactions,
      filesIn: totals.filesIn - before.filesIn,
      filesOut: totals.filesOut - before.filesOut,
      bytesRead: totals.bytesRead - before.bytesRead,
      bytesWritten: totals.bytesWritten - before.bytesWritten,
      skipped,
    }
  }

  async explain<T>(work: () => T | Promise<T>): Promise<Explanation<T>> {
    assertRunnable('explain', work)
    this.#head.assertOpen()
    const { env, requests } = this.#parts
    const before = requests()
    const since = env.monotonic()
    const value = await work()
    const durationMs = env.monotonic() - since
    await this.#turn()
    return { value, requests: requestsBetween(before, requests()), durationMs }
  }

  async evict(options?: EvictOptions): Promise<void> {
    const { memory, disk } = takeEvictOptions(options)
    this.#head.assertOpen()
    if (memory) this.#parts.cache.clear()
    if (disk) await this.#parts.files.disk?.clear()
    await this.#turn()
  }

  async stats(): Promise<DatabaseStats> {
    this.#head.assertOpen()
    const stats = await databaseStats(this.#parts)
    await this.#turn()
    return stats
  }

  close(): Promise<void> {
    this.#closing ??= holding(this.#parts.env, closeDatabase(this.#parts, this.#snapshots))
    return this.#closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #writing(what: string): WritingParts {
    this.#head.assertOpen()
    const { writing } = this.#parts
    if (writing === undefined) throw new ReadOnlyError(what)
    return writing
  }

  #tableState(name: string): TableState | undefined {
    const { state } = this.#parts.versions
    const id = state.tableIds.get(name)
    return id === undefined ? undefined : state.tables.get(id)
  }

  async #snapshot(options: TakenSnapshotOptions): Promise<SnapshotHandle> {
    const head = this.#head
    options.signal?.throwIfAborted()
    if (head.isStale()) await head.refresh(options.signal)
    const held = await this.#hold(options)
    const snapshot = new SnapshotHandle(held.version, held.point, head, (closed) => {
      this.#snapshots.delete(closed)
    })
    this.#snapshots.add(snapshot)
    await this.#turn()
    return snapshot
  }

  /**
   * Gives others a turn now and then, for loops whose awaited calls are all answered from memory.
   */
  #turn(): Promise<void> | undefined {
    return this.#head.slice.step()
  }

  async #hold(options: TakenSnapshotOptions): Promise<{
    version: number
    point: { view: ReturnType<HeadSource['view']>; timestamp: number }
  }> {
    const { versions } = this.#parts
    if (options.at === undefined) {
      const point = this.#head.hold()
      return { version: versions.visibleVersion, point }
    }
    const at = await this.#head.commitAt(options.at, options.signal)
    const point = this.#head.hold()
    point.timestamp = at.timestamp
    return { version: at.version, point }
  }
}
