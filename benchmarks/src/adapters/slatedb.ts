import { mkdirSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import type { Tally } from '../tally.js'
import type { Adapter, Found, OpenOptions } from './adapter.js'
import { load, versionOf } from './package.js'

interface Disposable {
  dispose(): void
}

interface Iterator extends Disposable {
  next(): Promise<{ key: Uint8Array; value: Uint8Array } | undefined>
}

interface Range {
  start: Uint8Array | undefined
  start_inclusive: boolean
  end: Uint8Array | undefined
  end_inclusive: boolean
}

interface Batch extends Disposable {
  put(key: Uint8Array, value: Uint8Array): void
}

export interface SlateDb extends Disposable {
  put(key: Uint8Array, value: Uint8Array): Promise<unknown>
  put_with_options(k: Uint8Array, v: Uint8Array, put: object, write: object): Promise<unknown>
  write_with_options(batch: Batch, options: { await_durable: boolean }): Promise<unknown>
  flush(): Promise<void>
  flush_with_options(options: { flush_type: 'MemTable' | 'Wal' }): Promise<void>
  get(key: Uint8Array): Promise<Found>
  scan(range: Range): Promise<Iterator>
  scan_with_options(range: Range, options: object): Promise<Iterator>
  shutdown(): Promise<void>
}

interface Settings extends Disposable {
  /** Takes the value as JSON. */
  set(key: string, value: string): void
}

interface Builder extends Disposable {
  build(): Promise<SlateDb>
  with_db_cache_disabled(): void
  with_settings(settings: Settings): void
}

/** The part of @slatedb/uniffi 0.12 that is used here. */
interface Slate {
  DbBuilder: new (path: string, store: Disposable) => Builder
  ObjectStore: { resolve(url: string): Disposable }
  Settings: { default(): Settings }
  WriteBatch: new () => Batch
  Ttl: { Default(): object }
}

const PACKAGE = '@slatedb/uniffi'
const NO_FSYNC = 'its file store never calls fsync (seen with strace)'
const EVERYTHING: Range = {
  start: undefined,
  start_inclusive: true,
  end: undefined,
  end_inclusive: false,
}
const SCAN = {
  durability_filter: 'Memory',
  dirty: false,
  read_ahead_bytes: 1 << 20,
  cache_blocks: true,
  max_fetch_tasks: 4,
}

/** SlateDB, an LSM tree on object storage, over its local file store. */
export class SlateDbAdapter implements Adapter {
  readonly name: string = 'slatedb'
  readonly native: boolean = true
  readonly persistent: boolean = true
  readonly settings: string =
    'local file object store, default settings, `await_durable: false`; rows come one call each; ' +
    'point and short range workloads over a tenth of the operations; ' +
    'multi-get as 100 concurrent `get`s; uncached: its cache disabled'
  readonly effort: number = 0.1
  readonly unsupported: Adapter['unsupported'] = {
    'durable-1': NO_FSYNC,
    'durable-64': NO_FSYNC,
    'get-sync': 'no such call',
    has: 'no such call',
  }
  #slate: Slate | undefined
  #ttl: object = {}
  protected db!: SlateDb
  #store!: Disposable

  async load(): Promise<string> {
    this.#slate = await load<Slate>(PACKAGE)
    this.#ttl = this.#slate.Ttl.Default()
    return versionOf(PACKAGE)
  }

  async open(directory: string, options: OpenOptions): Promise<void> {
    if (this.#slate === undefined) throw new Error('load() first')
    this.#store = this.#slate.ObjectStore.resolve(this.storeUrl(directory))
    const builder = new this.#slate.DbBuilder('db', this.#store)
    if (options.cache === 'small') builder.with_db_cache_disabled()
    const changed = Object.entries(this.changedSettings())
    if (changed.length > 0) {
      const settings = this.#slate.Settings.default()
      for (const [name, value] of changed) settings.set(name, JSON.stringify(value))
      builder.with_settings(settings)
      settings.dispose()
    }
    this.db = await builder.build()
    builder.dispose()
  }

  /** Where the object store of a directory is. */
  protected storeUrl(directory: string): string {
    mkdirSync(directory, { recursive: true })
    return pathToFileURL(directory).href
  }

  /** What isn't left as SlateDB has it. */
  protected changedSettings(): Record<string, string> {
    return {}
  }

  async writeBatch(keys: readonly Buffer[], values: readonly Buffer[]): Promise<void> {
    if (this.#slate === undefined) throw new Error('load() first')
    const batch = new this.#slate.WriteBatch()
    for (const [i, key] of keys.entries()) batch.put(key, values[i] as Buffer)
    await this.db.write_with_options(batch, { await_durable: false })
    batch.dispose()
  }

  put(key: Buffer, value: Buffer): Promise<unknown> {
    return this.db.put_with_options(key, value, { ttl: this.#ttl }, { await_durable: false })
  }

  putDurable(_key: Buffer, _value: Buffer): Promise<unknown> {
    return Promise.reject(new Error(NO_FSYNC))
  }

  drain(): Promise<void> {
    return this.db.flush()
  }

  get(key: Buffer): Promise<Found> {
    return this.db.get(key)
  }

  getSync(): Found {
    throw new Error('not supported')
  }

  getMany(keys: Buffer[]): Promise<Found[]> {
    return Promise.all(keys.map((key) => this.db.get(key)))
  }

  has(): boolean {
    throw new Error('not supported')
  }

  async scan(tally: Tally, { reverse }: { reverse: boolean }): Promise<void> {
    const order = reverse ? 'Descending' : 'Ascending'
    const iterator = await this.db.scan_with_options(EVERYTHING, { ...SCAN, order })
    await this.#take(iterator, Number.POSITIVE_INFINITY, tally)
  }

  /** The binding has no async iterator: this is the loop that a user would write around `next`. */
  async iterate(tally: Tally): Promise<void> {
    const iterator = await this.db.scan(EVERYTHING)
    await this.#take(iterator, Number.POSITIVE_INFINITY, tally)
  }

  async seek(start: Buffer, count: number, tally: Tally): Promise<void> {
    await this.#take(await this.db.scan({ ...EVERYTHING, start }), count, tally)
  }

  async close(): Promise<void> {
    await this.db.shutdown()
    this.db.dispose()
    this.#store.dispose()
  }

  async #take(iterator: Iterator, count: number, tally: Tally): Promise<void> {
    for (let i = 0; i < count; i++) {
      const row = await iterator.next()
      if (row === undefined) break
      tally.row(row.key, row.value)
    }
    iterator.dispose()
  }
}
