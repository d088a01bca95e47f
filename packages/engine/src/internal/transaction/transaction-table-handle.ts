import { copyBytes } from '@firn/bytes'
import { KIND_DELETE, KIND_PUT } from '@firn/mvcc'
import type { ReadOptions } from '../../range.js'
import type { TransactionTable } from '../../transaction.js'
import { assertKeys, encodeKey, encodeKeyBesideValue, encodeValue } from '../arguments/keys.js'
import { assertNone } from '../arguments/members.js'
import type { TakenScanOptions } from '../arguments/read-options.js'
import { TableReader } from '../read/table-reader.js'
import type { TableIdentity } from '../view/table-identity.js'
import { ReadRange } from './read-set.js'
import type { TransactionHandle } from './transaction-handle.js'

const NO_VALUE = new Uint8Array(0)

const IN_TRANSACTIONS = ' in a transaction; the transaction has them'

/** Reads and writes one table for a transaction, and records both. */
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

  override getSync(key: K, options?: undefined): V | undefined {
    this.#noteKey(key)
    return super.getSync(key, options)
  }

  override async getMany(keys: readonly K[], options?: ReadOptions): Promise<(V | undefined)[]> {
    assertKeys('getMany', keys)
    for (const key of keys) this.#noteKey(key)
    return super.getMany(keys, options)
  }

  override async has(key: K, options?: ReadOptions): Promise<boolean> {
    this.#noteKey(key)
    return super.has(key, options)
  }

  async put(key: K, value: V, options?: undefined): Promise<void> {
    assertNone('put', options, IN_TRANSACTIONS)
    const bytes = encodeKeyBesideValue(this.#identity, key)
    this.#transaction.write(this.#identity, KIND_PUT, bytes, encodeValue(this.#identity, value))
    return this.#transaction.source.slice.step()
  }

  async delete(key: K, options?: undefined): Promise<void> {
    assertNone('delete', options, IN_TRANSACTIONS)
    const bytes = encodeKey(this.#identity, key)
    this.#transaction.write(this.#identity, KIND_DELETE, bytes, NO_VALUE)
    return this.#transaction.source.slice.step()
  }

  /** All reads of ordered keys pass through here. */
  protected override noteRange(scan: TakenScanOptions): ReadRange {
    this.#transaction.noteRead(this.#identity)
    const range = new ReadRange(scan)
    this.#transaction.reads.addRange(this.name, range)
    return range
  }

  #noteKey(key: K): void {
    this.#transaction.noteRead(this.#identity)
    this.#transaction.reads.keys.add(this.name, copyBytes(encodeKey(this.#identity, key)))
  }
}
