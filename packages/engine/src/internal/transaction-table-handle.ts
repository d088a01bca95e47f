import { KIND_DELETE, KIND_PUT } from '@firn/mvcc'
import type { Range, ReadOptions, ScanOptions } from '../range.js'
import type { Rows, Scan } from '../scan.js'
import type { WarmReport } from '../table.js'
import type { TransactionTable } from '../transaction.js'
import { ReadRange } from './read-set.js'
import { encodeKey, encodeValue } from './table-handle.js'
import type { TableIdentity } from './table-identity.js'
import { TableReader } from './table-reader.js'
import type { TransactionHandle } from './transaction-handle.js'

const NO_VALUE = new Uint8Array(0)

/** Reads and writes of one table by a transaction, which keeps account of both. */
export class TransactionTableHandle<K, V> implements TransactionTable<K, V> {
  readonly #identity: TableIdentity
  readonly #transaction: TransactionHandle
  readonly #reader: TableReader<K, V>

  constructor(identity: TableIdentity, transaction: TransactionHandle) {
    this.#identity = identity
    this.#transaction = transaction
    this.#reader = new TableReader(identity, transaction.source)
  }

  get name(): string {
    return this.#identity.name
  }

  async get(key: K, options?: ReadOptions): Promise<V | undefined> {
    this.#noteKey(key)
    return this.#reader.get(key, options)
  }

  async getMany(keys: readonly K[], options?: ReadOptions): Promise<(V | undefined)[]> {
    for (const key of keys) this.#noteKey(key)
    return this.#reader.getMany(keys, options)
  }

  async has(key: K, options?: ReadOptions): Promise<boolean> {
    this.#noteKey(key)
    return this.#reader.has(key, options)
  }

  scan(options: ScanOptions<K> = {}): Scan<K, V> {
    return this.#reader.scan(options, () => this.#noteRange(options))
  }

  keys(options?: ScanOptions<K>): Rows<K> {
    return this.scan(options).keys()
  }

  values(options?: ScanOptions<K>): Rows<V> {
    return this.scan(options).values()
  }

  async count(range: Range<K> & ReadOptions = {}): Promise<number> {
    let count = 0
    for await (const page of this.keys(range).pages()) count += page.length
    return count
  }

  warm(range?: Range<K>, options?: { signal?: AbortSignal }): Promise<WarmReport> {
    return this.#reader.warm(range, options)
  }

  async put(key: K, value: V): Promise<void> {
    const bytes = encodeKey(this.#identity, key)
    this.#transaction.write(this.#identity, KIND_PUT, bytes, encodeValue(this.#identity, value))
  }

  async delete(key: K): Promise<void> {
    const bytes = encodeKey(this.#identity, key)
    this.#transaction.write(this.#identity, KIND_DELETE, bytes, NO_VALUE)
  }

  #noteKey(key: K): void {
    this.#transaction.noteRead(this.#identity)
    this.#transaction.reads.keys.add(this.name, encodeKey(this.#identity, key).slice())
  }

  #noteRange(options: ScanOptions<K>): ReadRange {
    this.#transaction.noteRead(this.#identity)
    const range = new ReadRange(options as ScanOptions<never>, () => this.#identity.keys)
    this.#transaction.reads.addRange(this.name, range)
    return range
  }
}
