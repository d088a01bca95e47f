import { mkdirSync } from 'node:fs'
import type { Tally } from '../tally.js'
import type { Adapter, Found, OpenOptions } from './adapter.js'
import { load, versionOf } from './package.js'

interface Row {
  key: Uint8Array
  value: Uint8Array
}

/** The part of lmdb 3.5 that is used here. */
interface Store {
  put(key: Uint8Array, value: Uint8Array): Promise<boolean>
  get(key: Uint8Array): Found
  doesExist(key: Uint8Array): boolean
  getRange(options?: { start?: Uint8Array; limit?: number; reverse?: boolean }): Iterable<Row>
  flushed: Promise<boolean>
  close(): Promise<void>
}

type Open = (options: object) => Store

const PACKAGE = 'lmdb'

/** LMDB through lmdb-js. Reads are synchronous by its design; `get` is awaited all the same. */
export class LmdbAdapter implements Adapter {
  readonly name: string = 'lmdb'
  readonly native: boolean = true
  readonly persistent: boolean = true
  readonly settings: string =
    'binary keys and values; not synced: `noSync`; durable: `overlappingSync: false`, where a put ' +
    'resolves after the flush (measured quicker than awaiting `flushed`); multi-get as 100 `get`s ' +
    '(twice its own `getMany`); its cache is the page cache, at any setting'
  readonly effort: number = 1
  readonly unsupported: Adapter['unsupported'] = {}
  #open: Open | undefined
  #db!: Store

  async load(): Promise<string> {
    this.#open = (await load<{ open: Open }>(PACKAGE)).open
    return versionOf(PACKAGE)
  }

  async open(directory: string, options: OpenOptions): Promise<void> {
    if (this.#open === undefined) throw new Error('load() first')
    mkdirSync(directory, { recursive: true })
    this.#db = this.#open({
      path: directory,
      keyEncoding: 'binary',
      encoding: 'binary',
      ...(options.durable ? { overlappingSync: false } : { noSync: true }),
    })
  }

  /** All puts of one event turn share a transaction. */
  writeBatch(keys: readonly Buffer[], values: readonly Buffer[]): Promise<boolean> {
    let last: Promise<boolean> | undefined
    for (const [i, key] of keys.entries()) last = this.#db.put(key, values[i] as Buffer)
    return last ?? Promise.resolve(true)
  }

  put(key: Buffer, value: Buffer): Promise<boolean> {
    return this.#db.put(key, value)
  }

  putDurable(key: Buffer, value: Buffer): Promise<boolean> {
    return this.#db.put(key, value)
  }

  async drain(): Promise<void> {}

  get(key: Buffer): Found {
    return this.#db.get(key)
  }

  getSync(key: Buffer): Found {
    return this.#db.get(key)
  }

  getMany(keys: Buffer[]): Found[] {
    return keys.map((key) => this.#db.get(key))
  }

  has(key: Buffer): boolean {
    return this.#db.doesExist(key)
  }

  async scan(tally: Tally, { reverse }: { reverse: boolean }): Promise<void> {
    for (const { key, value } of this.#db.getRange({ reverse })) tally.row(key, value)
  }

  async iterate(tally: Tally): Promise<void> {
    for await (const { key, value } of this.#db.getRange()) tally.row(key, value)
  }

  seek(start: Buffer, limit: number, tally: Tally): void {
    for (const { key, value } of this.#db.getRange({ start, limit })) tally.row(key, value)
  }

  close(): Promise<void> {
    return this.#db.close()
  }
}
