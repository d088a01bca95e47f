import type { Tally } from '../tally.js'
import type { Adapter, Found } from './adapter.js'
import { load, versionOf } from './package.js'

/** The part of memory-level 3 that is used here. */
interface Level {
  open(): Promise<void>
  close(): Promise<void>
  put(key: Uint8Array, value: Uint8Array): Promise<void>
  batch(operations: object[]): Promise<void>
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

const PACKAGE = 'memory-level'
const IN_MEMORY = 'in memory only'
const PAGE_ROWS = 1000

/** memory-level: a red-black tree in JavaScript, for scale. Not one of the native peers. */
export class MemoryLevelAdapter implements Adapter {
  readonly name: string = 'memory-level'
  readonly native: boolean = false
  readonly persistent: boolean = false
  readonly settings: string = 'buffer store encoding, `nextv(1000)`; gone with its process'
  readonly effort: number = 1
  readonly unsupported: Adapter['unsupported'] = {
    'disk-bytes': IN_MEMORY,
    'durable-1': IN_MEMORY,
    'durable-64': IN_MEMORY,
    open: IN_MEMORY,
    'get-uncached': IN_MEMORY,
  }
  #make: (new (options: object) => Level) | undefined
  #db!: Level

  async load(): Promise<string> {
    this.#make = (await load<{ MemoryLevel: new (o: object) => Level }>(PACKAGE)).MemoryLevel
    return versionOf(PACKAGE)
  }

  async open(): Promise<void> {
    if (this.#make === undefined) throw new Error('load() first')
    const buffer = 'buffer'
    this.#db = new this.#make({ storeEncoding: buffer, keyEncoding: buffer, valueEncoding: buffer })
    await this.#db.open()
  }

  writeBatch(keys: readonly Buffer[], values: readonly Buffer[]): Promise<void> {
    return this.#db.batch(keys.map((key, i) => ({ type: 'put', key, value: values[i] })))
  }

  put(key: Buffer, value: Buffer): Promise<void> {
    return this.#db.put(key, value)
  }

  putDurable(): Promise<void> {
    return Promise.reject(new Error(IN_MEMORY))
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
    const iterator = this.#db.iterator({ reverse })
    for (;;) {
      const rows = await iterator.nextv(PAGE_ROWS)
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
