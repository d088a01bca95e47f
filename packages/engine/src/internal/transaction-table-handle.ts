import { KIND_DELETE, KIND_PUT } from '@firn/mvcc'
import type { ReadOptions, ScanOptions } from '../range.js'
import type { Scan } from '../scan.js'
import type { TransactionTable } from '../transaction.js'
import { ReadRange } from './read-set.js'
import { encodeKey, encodeValue } from './table-handle.js'
import type { TableIdentity } from './table-identity.js'
import { TableReader } from './table-reader.js'
import type { TransactionHandle } from './transaction-handle.js'

const NO_VALUE = new Uint8Array(0)

/** Reads and writes of one table by a transaction, which keeps account of both. */
export class TransactionTableHandle<K, V>
  extends TableReader<K, V>
  implements TransactionTable<K, V>
{
  readonly #identity: TableIdentity
  readonly #transaction: TransactionHandle

  constructor(identity: TableIdentity, transaction: TransactionHandle) {
    super(identity, transaction.source)
    this.#identity = identity
    this.#transaction = transaction
  }

  override async get(key: K, options?: ReadOptions): Promise<V | undefined> {
    this.#noteKey(key)
    return super.get(key, options)
  }

  override getSync(key: K): V | undefined {
    this.#noteKey(key)
    return super.getSync(key)
  }

  override async getMany(keys: readonly K[], options?: ReadOptions): Promise<(V | undefined)[]> {
    for (const key of keys) this.#noteKey(key)
    return super.getMany(keys, options)
  }

  override async has(key: K, options?: ReadOptions): Promise<boolean> {
    this.#noteKey(key)
    return super.has(key, options)
  }

  /** All other reads go through this one. */
  override scan(options: ScanOptions<K> = {}): Scan<K, V> {
    return super.scan(options, () => this.#noteRange(options))
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
