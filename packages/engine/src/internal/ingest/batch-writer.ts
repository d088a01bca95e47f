import { ClosedError, InvalidArgumentError } from '@firn/env'
import { RECORDS_WRITER_SLACK, RecordsWriter } from '@firn/manifest'
import { KIND_DELETE, KIND_PUT } from '@firn/mvcc'
import type { Batch } from '../../batch.js'
import type { Table } from '../../table.js'
import type { Commit, Durability, WriteOptions } from '../../write-options.js'
import { assertNone } from '../arguments/members.js'
import { takeWriteOptions } from '../arguments/write-options.js'
import type { DatabaseHandle } from '../database/database-handle.js'
import type { EncodedRecords } from '../files/file-writer.js'
import { TableHandle } from '../handles/table-handle.js'
import type { TransactionGuard } from '../transaction/transaction-guard.js'
import type { TableIdentity } from '../view/table-identity.js'
import { waitFor } from '../wait-for.js'
import type { BatchRuns } from './batch-runs.js'

const NO_VALUE = new Uint8Array(0)

const IN_BATCHES = ' in a batch; batch.write has them'

/** In place of the id of a table that doesn't exist yet: this, plus its index in the batch. */
const PLACEHOLDER_ID = 0x8000_0000

/** A part ends with the record that goes past its bytes: room for that one, where it is small. */
const LAST_RECORD_BYTES = 4096

const NOTHING: Promise<void> = Promise.resolve()

/**
 * Collects encoded records, under the ids of their tables or, before those exist, placeholders. What
 * an entry of the log can't hold is cut into parts; where those make up a run, they go to `BatchRuns`.
 */
export class BatchWriter implements Batch {
  readonly #database: DatabaseHandle
  #tables: TableIdentity[] = []
  #ids: number[] = []
  #records: RecordsWriter
  #size = 0
  #written = false
  /** Records before those of `#records`, which are of no run yet. */
  #parts: Uint8Array[] = []
  #partsBytes = 0
  #runs: BatchRuns | undefined
  /** Whether a part was closed since I/O had a turn. */
  #partClosed = false
  readonly #partBytes: number
  readonly #runBytes: number
  // The table of the last write, which most often is that of the next one.
  #lastTable: TableIdentity | undefined
  #lastId = 0

  constructor(database: DatabaseHandle) {
    this.#database = database
    this.#records = new RecordsWriter([], database.payloadBuffer())
    const { partBytes, runBytes } = database.batchLimits
    this.#partBytes = partBytes
    this.#runBytes = runBytes
  }

  get size(): number {
    return this.#size
  }

  put<K, V>(table: Table<K, V>, key: K, value: V, options?: undefined): this {
    if (options !== undefined) assertNone('put', options, IN_BATCHES)
    const handle = this.#ownTable(table)
    const bytes = handle.encodeKeyBesideValue(key)
    return this.#add(handle, KIND_PUT, bytes, handle.encodeValue(value))
  }

  delete<K, V>(table: Table<K, V>, key: K, options?: undefined): this {
    if (options !== undefined) assertNone('delete', options, IN_BATCHES)
    const handle = this.#ownTable(table)
    return this.#add(handle, KIND_DELETE, handle.encodeKey(key), NO_VALUE)
  }

  clear(): this {
    this.#assertUnwritten()
    this.#tables = []
    this.#ids = []
    this.#lastTable = undefined
    this.#records.reset()
    this.#parts = []
    this.#partsBytes = 0
    void this.#runs?.stop(new ClosedError('the batch was cleared'))
    this.#runs = undefined
    this.#size = 0
    return this
  }

  drain(): Promise<void> {
    const runs = this.#runs
    if (runs === undefined) return NOTHING
    const yields = this.#partClosed
    this.#partClosed = false
    return runs.drain(yields)
  }

  async write(options?: WriteOptions): Promise<Commit> {
    const { durability, signal } = takeWriteOptions('write', options)
    return this.#write(durability, signal)
  }

  /** As `write`, unless the guard finds it contradicted: then `CommitConflictError`. */
  commit(guard: TransactionGuard, signal: AbortSignal | undefined): Promise<Commit> {
    return this.#write('durable', signal, guard)
  }

  async #write(
    durability: Durability,
    signal: AbortSignal | undefined,
    guard?: TransactionGuard,
  ): Promise<Commit> {
    this.#assertUnwritten()
    signal?.throwIfAborted()
    const database = this.#database
    const writer = database.writer()
    this.#written = true
    if (this.#size === 0) return database.newestCommit()
    database.noteBatch(this.#records.byteLength)
    const bytes = this.#partsBytes + this.#records.byteLength
    if (this.#runs !== undefined || bytes > database.inlineLimitBytes) {
      const records = this.#takeRecords()
      if (this.#runs === undefined && guard === undefined) {
        return database.commitInGroup(records, bytes, signal)
      }
      const runs = this.#runs ?? database.startRuns()
      return waitFor(runs.commit([records], signal, guard), signal)
    }
    const batch = { tables: this.#tables, ids: this.#ids, payload: this.#records.take() }
    const written =
      guard === undefined
        ? writer.writeBatch(batch, durability, signal)
        : writer.writeGuarded(batch, guard, signal)
    return waitFor(written, signal)
  }

  #add<K, V>(handle: TableHandle<K, V>, kind: number, key: Uint8Array, value: Uint8Array): this {
    const { identity } = handle
    const id = identity === this.#lastTable ? this.#lastId : this.#idOf(identity)
    this.#records.put(id, kind, key, 0, key.length, value, 0, value.length)
    this.#size++
    if (this.#records.byteLength > this.#partBytes) this.#closePart()
    return this
  }

  #closePart(): void {
    this.#partClosed = true
    this.#partsBytes += this.#records.byteLength
    this.#parts.push(this.#records.take())
    this.#records = new RecordsWriter(
      [],
      this.#partBytes + RECORDS_WRITER_SLACK + LAST_RECORD_BYTES,
    )
    if (this.#partsBytes < this.#runBytes) return
    this.#runs ??= this.#database.startRuns()
    this.#runs.add(this.#takeRecords())
  }

  /** The records that are of no run yet. */
  #takeRecords(): EncodedRecords {
    const payloads = this.#parts
    if (this.#records.records > 0) payloads.push(this.#records.take())
    this.#parts = []
    this.#partsBytes = 0
    // The lists grow while these records are written.
    return { tables: [...this.#tables], ids: [...this.#ids], payloads }
  }

  #idOf(table: TableIdentity): number {
    let index = this.#tables.indexOf(table)
    if (index < 0) {
      index = this.#tables.push(table) - 1
      this.#ids.push(this.#database.tableId(table) ?? PLACEHOLDER_ID + index)
    }
    this.#lastTable = table
    this.#lastId = this.#ids[index] as number
    return this.#lastId
  }

  #ownTable<K, V>(table: Table<K, V>): TableHandle<K, V> {
    this.#assertUnwritten()
    if (table instanceof TableHandle && table.database === this.#database) return table
    throw new InvalidArgumentError(
      'the table of a batch must be a handle from the same database: db.table(name)',
    )
  }

  #assertUnwritten(): void {
    if (this.#written) {
      throw new InvalidArgumentError('the batch was written already; make another with db.batch()')
    }
  }
}

/** A batch, encoded. `ids[i]` is what its records call `tables[i]`. */
export interface EncodedBatch {
  tables: readonly TableIdentity[]
  ids: readonly number[]
  payload: Uint8Array
}
