import { ClosedError, InvalidArgumentError, waitFor } from '@firn/env'
import { RECORDS_WRITER_SLACK, RecordsWriter } from '@firn/manifest'
import { KIND_DELETE, KIND_PUT } from '@firn/mvcc'
import type { Batch } from '../../batch.js'
import type { Table } from '../../table.js'
import type { Commit, Durability, WriteOptions } from '../../write-options.js'
import type { CommitGuard } from '../append/commit-guard.js'
import { encodeKey, encodeKeyBesideValue, encodeValue } from '../arguments/keys.js'
import { assertNone } from '../arguments/members.js'
import { takeWriteOptions } from '../arguments/write-options.js'
import type { TableIdentity } from '../view/table-identity.js'
import type { EncodedRecords } from './encoded-records.js'
import type { Ingestion } from './ingestion.js'
import { OwnTable } from './own-table.js'
import type { WriteContext } from './write-context.js'

const NO_VALUE = new Uint8Array(0)

const IN_BATCHES = ' in a batch; batch.write has them'

/**
 * Stands for the id of a table that doesn't exist yet: this, plus the table's index in the batch.
 */
const PLACEHOLDER_ID = 0x8000_0000

/** Space for the record that takes a part over its limit, if that record is small. */
const LAST_RECORD_BYTES = 4096

const NOTHING: Promise<void> = Promise.resolve()

/**
 * Collects encoded records under the ids of their tables, or placeholders for tables that don't
 * exist yet. Records that a log entry can't hold are cut into parts; when the parts make up a run,
 * they go to `Ingestion`.
 */
export class BatchWriter implements Batch {
  readonly #context: WriteContext
  #tables: TableIdentity[] = []
  #ids: number[] = []
  #records: RecordsWriter
  #size = 0
  #written = false
  /** Records before those in `#records` that belong to no run yet. */
  #parts: Uint8Array[] = []
  #partsBytes = 0
  #ingestion: Ingestion | undefined
  /** Whether a part was closed since I/O last had a turn. */
  #partClosed = false
  readonly #partBytes: number
  readonly #ingestChunkBytes: number
  // The table of the last write, which is usually the table of the next one.
  #lastTable: TableIdentity | undefined
  #lastId = 0

  constructor(context: WriteContext) {
    this.#context = context
    this.#records = new RecordsWriter([], context.payloadBuffer())
    const { partBytes, ingestChunkBytes } = context.batchLimits
    this.#partBytes = partBytes
    this.#ingestChunkBytes = ingestChunkBytes
  }

  get size(): number {
    return this.#size
  }

  put<K, V>(table: Table<K, V>, key: K, value: V, options?: undefined): this {
    if (options !== undefined) assertNone('put', options, IN_BATCHES)
    const identity = this.#identityOf(table)
    const bytes = encodeKeyBesideValue(identity, key)
    return this.add(identity, KIND_PUT, bytes, encodeValue(identity, value))
  }

  delete<K, V>(table: Table<K, V>, key: K, options?: undefined): this {
    if (options !== undefined) assertNone('delete', options, IN_BATCHES)
    const identity = this.#identityOf(table)
    return this.add(identity, KIND_DELETE, encodeKey(identity, key), NO_VALUE)
  }

  clear(): this {
    this.#assertUnwritten()
    this.#tables = []
    this.#ids = []
    this.#lastTable = undefined
    this.#records.reset()
    this.#parts = []
    this.#partsBytes = 0
    void this.#ingestion?.stop(new ClosedError('the batch was cleared'))
    this.#ingestion = undefined
    this.#size = 0
    return this
  }

  drain(): Promise<void> {
    const ingestion = this.#ingestion
    if (ingestion === undefined) return NOTHING
    const yields = this.#partClosed
    this.#partClosed = false
    return ingestion.drain(yields)
  }

  async write(options?: WriteOptions): Promise<Commit> {
    const { durability, signal } = takeWriteOptions('write', options)
    return this.#write(durability, signal)
  }

  /** Commits, or throws `CommitConflictError` if the guard finds a contradiction. */
  commit(guard: CommitGuard, signal: AbortSignal | undefined): Promise<Commit> {
    return this.#write('durable', signal, guard)
  }

  async #write(
    durability: Durability,
    signal: AbortSignal | undefined,
    guard?: CommitGuard,
  ): Promise<Commit> {
    this.#assertUnwritten()
    signal?.throwIfAborted()
    const context = this.#context
    const writer = context.writer()
    this.#written = true
    if (this.#size === 0) return context.newestCommit()
    context.noteBatch(this.#records.byteLength)
    const bytes = this.#partsBytes + this.#records.byteLength
    if (this.#ingestion !== undefined || bytes > context.inlineLimitBytes) {
      const records = this.#takeRecords()
      if (this.#ingestion === undefined && guard === undefined) {
        return context.commitInGroup(records, bytes, signal)
      }
      const ingestion = this.#ingestion ?? context.startIngestion()
      return waitFor(ingestion.commit([records], signal, guard), signal)
    }
    const batch = { tables: this.#tables, ids: this.#ids, payload: this.#records.take() }
    const written =
      guard === undefined
        ? writer.writeBatch(batch, durability, signal)
        : writer.writeGuarded(batch, guard, signal)
    return waitFor(written, signal)
  }

  /** Adds a record as it is stored. Copies key and value. */
  add(identity: TableIdentity, kind: number, key: Uint8Array, value: Uint8Array): this {
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
    if (this.#partsBytes < this.#ingestChunkBytes) return
    this.#ingestion ??= this.#context.startIngestion()
    this.#ingestion.add(this.#takeRecords())
  }

  /** Takes the records that belong to no run yet. */
  #takeRecords(): EncodedRecords {
    const payloads = this.#parts
    if (this.#records.records > 0) payloads.push(this.#records.take())
    this.#parts = []
    this.#partsBytes = 0
    // Copies, because the lists grow while these records are written.
    return { tables: [...this.#tables], ids: [...this.#ids], payloads }
  }

  #idOf(table: TableIdentity): number {
    let index = this.#tables.indexOf(table)
    if (index < 0) {
      index = this.#tables.push(table) - 1
      this.#ids.push(this.#context.tableId(table) ?? PLACEHOLDER_ID + index)
    }
    this.#lastTable = table
    this.#lastId = this.#ids[index] as number
    return this.#lastId
  }

  #identityOf(table: unknown): TableIdentity {
    this.#assertUnwritten()
    if (table instanceof OwnTable && table.context === this.#context) return table.identity
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
