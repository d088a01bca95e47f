import { waitFor } from '@firn/env'
import { KIND_DELETE, KIND_PUT } from '@firn/mvcc'
import type { Range, ReadOptions, ScanOptions } from '../../range.js'
import type { Rows, Scan } from '../../scan.js'
import type { Table, WarmReport } from '../../table.js'
import type { Commit, WriteOptions } from '../../write-options.js'
import { encodeKey, encodeKeyBesideValue, encodeValue } from '../arguments/keys.js'
import { takeWriteOptions } from '../arguments/write-options.js'
import { BatchWriter } from '../ingest/batch-writer.js'
import { OwnTable } from '../ingest/own-table.js'
import type { WriteContext } from '../ingest/write-context.js'
import type { ReadSource } from '../read/read-source.js'
import { TableReader } from '../read/table-reader.js'
import type { TableIdentity } from '../view/table-identity.js'

const NO_VALUE = new Uint8Array(0)

/** A table of an open database: reads the present, and writes. */
export class TableHandle<K, V> extends OwnTable implements Table<K, V> {
  readonly #source: ReadSource
  readonly #reader: TableReader<K, V>
  #bytes: Table<Uint8Array, Uint8Array> | undefined

  constructor(identity: TableIdentity, context: WriteContext, source: ReadSource) {
    super(identity, context)
    this.#source = source
    this.#reader = new TableReader(identity, source)
  }

  get name(): string {
    return this.identity.name
  }

  get bytes(): Table<Uint8Array, Uint8Array> {
    this.#bytes ??= new TableHandle<Uint8Array, Uint8Array>(
      this.identity.asBytes(),
      this.context,
      this.#source,
    )
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

  warm(range?: Range<K>, options?: { signal?: AbortSignal | undefined }): Promise<WarmReport> {
    return this.#reader.warm(range, options)
  }

  put(key: K, value: V, options?: WriteOptions): Promise<Commit> {
    try {
      const bytes = encodeKeyBesideValue(this.identity, key)
      return this.#write('put', KIND_PUT, bytes, encodeValue(this.identity, value), options)
    } catch (error) {
      return Promise.reject(error)
    }
  }

  delete(key: K, options?: WriteOptions): Promise<Commit> {
    try {
      return this.#write('delete', KIND_DELETE, encodeKey(this.identity, key), NO_VALUE, options)
    } catch (error) {
      return Promise.reject(error)
    }
  }

  #write(
    call: string,
    kind: number,
    key: Uint8Array,
    value: Uint8Array,
    options: WriteOptions | undefined,
  ): Promise<Commit> {
    const { context } = this
    const { durability, signal } = takeWriteOptions(call, options)
    if (key.length + value.length > context.inlineLimitBytes) {
      const batch = new BatchWriter(context)
      if (kind === KIND_DELETE) batch.delete(this.bytes, key)
      else batch.put(this.bytes, key, value)
      return batch.write(options)
    }
    signal?.throwIfAborted()
    const writer = context.writer()
    const written = writer.write(this.identity, kind, key, value, durability, signal)
    return signal === undefined ? written : waitFor(written, signal)
  }
}
