import type { Tally } from '../tally.js'
import {
  type Adapter,
  AMPLE_CACHE_BYTES,
  type Found,
  type OpenOptions,
  SMALL_CACHE_BYTES,
} from './adapter.js'
import { load, versionOf } from './package.js'

interface Rows {
  /** Keys and values in turn. */
  rows: Uint8Array[]
  finished: boolean
}

/**
 * The part of @nxtedition/rocksdb 12 that is used here. The underscored methods are its own
 * additions to abstract-level ("nxt API"): synchronous, and several times quicker.
 */
interface Rocks {
  open(): Promise<void>
  close(): Promise<void>
  batch(operations: object[], options?: { sync?: boolean }): Promise<void>
  get(key: Uint8Array): Promise<Uint8Array>
  _getManySync(keys: Uint8Array[], options: { valueEncoding: 'buffer' }): Found[]
  querySync(options: object): Rows
  iterator(options?: object): RocksIterator
}

interface RocksIterator extends AsyncIterable<[Uint8Array, Uint8Array]> {
  _nextvSync(size: number): Rows
  close(): Promise<void>
}

const PACKAGE = '@nxtedition/rocksdb'
const BUFFERS = { keyEncoding: 'buffer', valueEncoding: 'buffer' } as const
const PAGE = { rows: 1000, highWaterMarkBytes: 1 << 20 }

/** RocksDB through @nxtedition/rocksdb. */
export class RocksDbAdapter implements Adapter {
  readonly name: string = 'rocksdb'
  readonly native: boolean = true
  readonly persistent: boolean = true
  readonly settings: string =
    'array batches, `_getManySync`, `_nextvSync(1000)`, `querySync` for short seeks; durable: a ' +
    'batch of one with `sync: true` (its `put` drops that option)'
  readonly effort: number = 1
  readonly unsupported: Adapter['unsupported'] = { has: 'no such call' }
  #make: (new (location: string, options: object) => Rocks) | undefined
  #db!: Rocks

  async load(): Promise<string> {
    const module = await load<{ RocksLevel: new (l: string, o: object) => Rocks }>(PACKAGE)
    this.#make = module.RocksLevel
    return versionOf(PACKAGE)
  }

  async open(directory: string, options: OpenOptions): Promise<void> {
    if (this.#make === undefined) throw new Error('load() first')
    this.#db = new this.#make(directory, {
      ...BUFFERS,
      createIfMissing: true,
      cacheSize: options.cache === 'ample' ? AMPLE_CACHE_BYTES : SMALL_CACHE_BYTES,
    })
    await this.#db.open()
  }

  writeBatch(keys: readonly Buffer[], values: readonly Buffer[]): Promise<void> {
    return this.#db.batch(keys.map((key, i) => ({ type: 'put', key, value: values[i] })))
  }

  put(key: Buffer, value: Buffer): Promise<void> {
    return this.#db.batch([{ type: 'put', key, value }])
  }

  putDurable(key: Buffer, value: Buffer): Promise<void> {
    return this.#db.batch([{ type: 'put', key, value }], { sync: true })
  }

  async drain(): Promise<void> {}

  async get(key: Buffer): Promise<Found> {
    try {
      return await this.#db.get(key)
    } catch (error) {
      if ((error as { code?: string }).code === 'LEVEL_NOT_FOUND') return undefined
      throw error
    }
  }

  getSync(key: Buffer): Found {
    return this.#db._getManySync([key], { valueEncoding: 'buffer' })[0]
  }

  getMany(keys: Buffer[]): Found[] {
    return this.#db._getManySync(keys, { valueEncoding: 'buffer' })
  }

  has(): boolean {
    throw new Error('not supported')
  }

  async scan(tally: Tally, { reverse }: { reverse: boolean }): Promise<void> {
    const iterator = this.#db.iterator({
      ...BUFFERS,
      reverse,
      highWaterMarkBytes: PAGE.highWaterMarkBytes,
    })
    let finished = false
    while (!finished) {
      const page = iterator._nextvSync(PAGE.rows)
      tallyRows(page.rows, page.rows.length / 2, tally)
      finished = page.finished
    }
    await iterator.close()
  }

  async iterate(tally: Tally): Promise<void> {
    for await (const [key, value] of this.#db.iterator(BUFFERS)) tally.row(key, value)
  }

  seek(key: Buffer, count: number, tally: Tally): void {
    tallyRows(this.#db.querySync({ ...BUFFERS, gte: key, limit: count }).rows, count, tally)
  }

  close(): Promise<void> {
    return this.#db.close()
  }
}

function tallyRows(rows: Uint8Array[], limit: number, tally: Tally): void {
  const end = Math.min(rows.length, limit * 2)
  for (let i = 0; i < end; i += 2) tally.row(rows[i] as Uint8Array, rows[i + 1] as Uint8Array)
}
