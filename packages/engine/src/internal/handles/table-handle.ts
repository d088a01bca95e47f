import { copyBytes } from '@firn/bytes'
import { InvalidArgumentError } from '@firn/env'
import { KIND_DELETE, KIND_PUT } from '@firn/mvcc'
import { type Encoding, encodeWith } from '../../encoding.js'
import type { Range, ReadOptions, ScanOptions } from '../../range.js'
import type { Rows, Scan } from '../../scan.js'
import type { Table, WarmReport } from '../../table.js'
import type { Commit, WriteOptions } from '../../write-options.js'
import { encodeKey } from '../arguments/keys.js'
import { assertValue } from '../arguments/sizes.js'
import { takeWriteOptions } from '../arguments/write-options.js'
import type { DatabaseHandle } from '../database/database-handle.js'
import { TableReader } from '../read/table-reader.js'
import type { TableIdentity } from '../view/table-identity.js'
import { waitFor } from '../wait-for.js'

const NO_VALUE = new Uint8Array(0)

/** A table of an open database: reads of its present, and writes. */
export class TableHandle<K, V> implements Table<K, V> {
  readonly identity: TableIdentity
  readonly database: DatabaseHandle
  readonly #reader: TableReader<K, V>
  #bytes: Table<Uint8Array, Uint8Array> | undefined

  constructor(identity: TableIdentity, database: DatabaseHandle) {
    this.identity = identity
    this.database = database
    this.#reader = new TableReader(identity, database.present)
  }

  get name(): string {
    return this.identity.name
  }

  get bytes(): Table<Uint8Array, Uint8Array> {
    this.#bytes ??= new TableHandle<Uint8Array, Uint8Array>(this.identity.asBytes(), this.database)
    return this.#bytes
  }

  get(key: K, options?: ReadOptions): Promise<V | undefined> {
    return this.#reader.get(key, options)
  }

  getSync(key: K, options?: undefined): V | undefined {
    return this.#reader.getSync(key, options)
  }

  getMany(keys: readonly K[], options?: ReadOptions): Promise<(V | undefined)[]> {
    return this.#reader.getMany(keys, options)
  }

  has(key: K, options?: ReadOptions): Promise<boolean> {
    return this.#reader.has(key, options)
  }

  scan(options?: ScanOptions<K>): Scan<K, V> {
    return this.#reader.scan(options)
  }

  keys(options?: ScanOptions<K>): Rows<K> {
    return this.#reader.keys(options)
  }

  values(options?: ScanOptions<K>): Rows<V> {
    return this.#reader.values(options)
  }

  count(options?: ScanOptions<K>): Promise<number> {
    return this.#reader.count(options)
  }

  warm(range?: Range<K>, options?: { signal?: AbortSignal }): Promise<WarmReport> {
    return this.#reader.warm(range, options)
  }

  put(key: K, value: V, options?: WriteOptions): Promise<Commit> {
    try {
      const bytes = encodeKeyBesideValue(this.identity, key)
      return this.#write('put', KIND_PUT, bytes, this.encodeValue(value), options)
    } catch (error) {
      return Promise.reject(error)
    }
  }

  delete(key: K, options?: WriteOptions): Promise<Commit> {
    try {
      return this.#write('delete', KIND_DELETE, this.encodeKey(key), NO_VALUE, options)
    } catch (error) {
      return Promise.reject(error)
    }
  }

  /** Throws `InvalidArgumentError` for a key that can't be stored. */
  encodeKey(key: K): Uint8Array {
    return encodeKey(this.identity, key)
  }

  /** As `encodeKey`, for a key that a value is encoded after. */
  encodeKeyBesideValue(key: K): Uint8Array {
    return encodeKeyBesideValue(this.identity, key)
  }

  /** Throws `InvalidArgumentError` for a value that can't be stored. */
  encodeValue(value: V): Uint8Array {
    return encodeValue(this.identity, value)
  }

  #write(
    call: string,
    kind: number,
    key: Uint8Array,
    value: Uint8Array,
    options: WriteOptions | undefined,
  ): Promise<Commit> {
    const { database } = this
    const { durability, signal } = takeWriteOptions(call, options)
    if (key.length + value.length > database.inlineLimitBytes) {
      const batch = database.batch()
      if (kind === KIND_DELETE) batch.delete(this.bytes, key)
      else batch.put(this.bytes, key, value)
      return batch.write(options)
    }
    signal?.throwIfAborted()
    const writer = database.writer()
    const written = writer.write(this.identity, kind, key, value, durability, signal)
    return signal === undefined ? written : waitFor(written, signal)
  }
}

/**
 * As `encodeKey`, for a key that a value is encoded after: an encoding of the caller's may write both to
 * one array.
 */
export function encodeKeyBesideValue<K>(table: TableIdentity, key: K): Uint8Array {
  const bytes = encodeKey(table, key)
  return table.valuesMayOverwriteKeys ? copyBytes(bytes) : bytes
}

/** A value of a table as it is stored. Throws `InvalidArgumentError` for one that can't be. */
export function encodeValue<V>(table: TableIdentity, value: V): Uint8Array {
  if (value === undefined) {
    throw new InvalidArgumentError('a value may not be undefined; delete removes a key')
  }
  const bytes = encodeWith(table.values as Encoding<V>, value)
  assertValue(bytes)
  return bytes
}
