import { InvalidArgumentError } from '@firn/env'
import { RecordsWriter } from '@firn/manifest'
import { KIND_DELETE, KIND_PUT } from '@firn/mvcc'
import type { Batch } from '../batch.js'
import type { Table } from '../table.js'
import type { Commit, WriteOptions } from '../write-options.js'
import type { DatabaseHandle } from './database-handle.js'
import { assertDurability, TableHandle } from './table-handle.js'
import type { TableIdentity } from './table-identity.js'
import { waitFor } from './wait-for.js'

const NO_VALUE = new Uint8Array(0)

/** In place of the id of a table that doesn't exist yet: this, plus its index in the batch. */
const PLACEHOLDER_ID = 0x8000_0000

/** Collects encoded records, under the ids of their tables or, before those exist, placeholders. */
export class BatchWriter implements Batch {
  readonly #database: DatabaseHandle
  #tables: TableIdentity[] = []
  #ids: number[] = []
  #records: RecordsWriter
  #size = 0
  #written = false
  // The table of the last write, which most often is that of the next one.
  #lastTable: TableIdentity | undefined
  #lastId = 0

  constructor(database: DatabaseHandle) {
    this.#database = database
    this.#records = new RecordsWriter([], database.payloadBuffer())
  }

  get size(): number {
    return this.#size
  }

  put<K, V>(table: Table<K, V>, key: K, value: V): this {
    const handle = this.#ownTable(table)
    return this.#add(handle, KIND_PUT, handle.encodeKey(key), handle.encodeValue(value))
  }

  delete<K, V>(table: Table<K, V>, key: K): this {
    const handle = this.#ownTable(table)
    return this.#add(handle, KIND_DELETE, handle.encodeKey(key), NO_VALUE)
  }

  clear(): this {
    this.#assertUnwritten()
    this.#tables = []
    this.#ids = []
    this.#lastTable = undefined
    this.#records.reset()
    this.#size = 0
    return this
  }

  async write(options: WriteOptions = {}): Promise<Commit> {
    this.#assertUnwritten()
    const durability = assertDurability(options.durability)
    options.signal?.throwIfAborted()
    const writer = this.#database.writer()
    this.#written = true
    if (this.#size === 0) return this.#database.newestCommit()
    const bytes = this.#records.byteLength
    this.#database.noteBatch(bytes)
    const batch = { tables: this.#tables, ids: this.#ids, payload: this.#records.take() }
    return waitFor(
      bytes > this.#database.inlineLimitBytes
        ? this.#database.writeLarge(batch)
        : writer.writeBatch(batch, durability),
      options.signal,
    )
  }

  #add<K, V>(handle: TableHandle<K, V>, kind: number, key: Uint8Array, value: Uint8Array): this {
    const { identity } = handle
    const id = identity === this.#lastTable ? this.#lastId : this.#idOf(identity)
    this.#records.put(id, kind, key, 0, key.length, value, 0, value.length)
    this.#size++
    return this
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
