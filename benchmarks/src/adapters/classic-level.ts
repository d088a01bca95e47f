import type { Tally } from '../tally.js'
import {
  type Adapter,
  AMPLE_CACHE_BYTES,
  type Found,
  type OpenOptions,
  SMALL_CACHE_BYTES,
} from './adapter.js'
import { load, versionOf } from './package.js'

/** The part of classic-level 3 that is used here. */
interface Level {
  open(): Promise<void>
  close(): Promise<void>
  put(key: Uint8Array, value: Uint8Array, options?: { sync?: boolean }): Promise<void>
  batch(): { put(key: Uint8Array, value: Uint8Array): unknown; write(): Promise<void> }
  get(key: Uint8Array): Promise<Found>
  getSync(key: Uint8Array): Found
  getMany(keys: Uint8Array[]): Promise<Found[]>
  has(key: Uint8Array): Promise<boolean>
  iterator(options?: object): LevelIterator
}

interface LevelIterator extends AsyncIterable<[Uint8Array, Uint8Array]> {
  nextv(size: number): Promise<[Uint8Array, Uint8Array][]>
  close(): Promise<void>
}

const PACKAGE = 'classic-level'
const PAGE = { rows: 5000, highWaterMarkBytes: 1 << 20 }

/** LevelDB through classic-level. */
export class ClassicLevelAdapter implements Adapter {
  readonly name: string = 'classic-level'
  readonly native: boolean = true
  readonly persistent: boolean = true
  readonly settings: string =
    'chained batches, `nextv(5000)`, buffer encodings; durable: `sync: true` on each put'
  readonly effort: number = 1
  readonly unsupported: Adapter['unsupported'] = {}
  #make: (new (location: string, options: object) => Level) | undefined
  #db!: Level

  async load(): Promise<string> {
    this.#make = (
      await load<{ ClassicLevel: new (l: string, o: object) => Level }>(PACKAGE)
    ).ClassicLevel
    return versionOf(PACKAGE)
  }

  async open(directory: string, options: OpenOptions): Promise<void> {
    if (this.#make === undefined) throw new Error('load() first')
    this.#db = new this.#make(directory, {
      keyEncoding: 'buffer',
      valueEncoding: 'buffer',
      cacheSize: options.cache === 'ample' ? AMPLE_CACHE_BYTES : SMALL_CACHE_BYTES,
    })
    await this.#db.open()
  }

  writeBatch(keys: readonly Buffer[], values: readonly Buffer[]): Promise<void> {
    const batch = this.#db.batch()
    for (const [i, key] of keys.entries()) batch.put(key, values[i] as Buffer)
    return batch.write()
  }

  put(key: Buffer, value: Buffer): Promise<void> {
    return this.#db.put(key, value)
  }

  putDurable(key: Buffer, value: Buffer): Promise<void> {
    return this.#db.put(key, value, { sync: true })
  }

  async drain(): Promise<void> {}

  get(key: Buffer): Promise<Found> {
    return this.#db.get(key)
  }

  getSync(key: Buffer): Found {
    return this.#db.getSync(key)
  }

  getMany(keys: Buffer[]): Promise<Found[]> {
    return this.#db.getMany(keys)
  }

  has(key: Buffer): Promise<boolean> {
    return this.#db.has(key)
  }

  async scan(tally: Tally, { reverse }: { reverse: boolean }): Promise<void> {
    const iterator = this.#db.iterator({ reverse, highWaterMarkBytes: PAGE.highWaterMarkBytes })
    for (;;) {
      const rows = await iterator.nextv(PAGE.rows)
      if (rows.length === 0) break
      for (const [key, value] of rows) tally.row(key, value)
    }
    await iterator.close()
  }

  async iterate(tally: Tally): Promise<void> {
    for await (const [key, value] of this.#db.iterator()) tally.row(key, value)
  }

  async seek(key: Buffer, count: number, tally: Tally): Promise<void> {
    const iterator = this.#db.iterator({ gte: key, limit: count })
    for (const [k, v] of await iterator.nextv(count)) tally.row(k, v)
    await iterator.close()
  }

  close(): Promise<void> {
    return this.#db.close()
  }
}
