import { readFileSync } from 'node:fs'
import type {
  Database,
  RequestStats,
  Table,
  WriteOptions,
} from '../../../packages/engine/dist/index.js'
import type { Tally } from '../tally.js'
import { type Adapter, type Found, type OpenOptions, SMALL_CACHE_BYTES } from './adapter.js'

type Engine = typeof import('../../../packages/engine/dist/index.js')

const BUFFERED: WriteOptions = { durability: 'buffered' }
const DURABLE: WriteOptions = { durability: 'durable' }

/** The engine's build in this checkout: benchmarks are no member of the workspace. */
const ENGINE = new URL('../../../packages/engine/', import.meta.url)

/** Firn, embedded, with its defaults. */
export class FirnAdapter implements Adapter {
  readonly name: string = 'firn'
  readonly native: boolean = false
  readonly persistent: boolean = true
  readonly settings: string =
    '`file:` with its defaults; not synced: `durability: "buffered"`, handed to the operating system ' +
    'within a millisecond or 64 KiB and synced once a second, and the time of a fill ends with ' +
    '`flush()`, when everything is on the disk; scans by `pages()`'
  readonly effort: number = 1
  readonly unsupported: Adapter['unsupported'] = {}
  #engine: Engine | undefined
  #db!: Database
  #table!: Table

  async load(): Promise<string> {
    const engine = (await import(new URL('dist/index.js', ENGINE).href)) as Partial<Engine>
    if (engine.open === undefined) throw new Error('build the workspace first: npm run build')
    this.#engine = engine as Engine
    const manifest = readFileSync(new URL('package.json', ENGINE), 'utf8')
    return (JSON.parse(manifest) as { version: string }).version
  }

  async open(directory: string, options: OpenOptions): Promise<void> {
    if (this.#engine === undefined) throw new Error('load() first')
    const small = { cache: { memoryBytes: SMALL_CACHE_BYTES } }
    this.#db = await this.#engine.open(
      this.location(directory),
      options.cache === 'small' ? small : {},
    )
    this.#table = this.#db.table('bench')
  }

  /** What the engine takes for a directory. */
  protected location(directory: string): string {
    return `file:${directory}`
  }

  /** The requests to services that the engine counted since the database was opened. */
  async requests(): Promise<RequestStats> {
    return (await this.#db.stats()).requests
  }

  writeBatch(keys: readonly Buffer[], values: readonly Buffer[]): Promise<unknown> {
    const batch = this.#db.batch()
    for (const [i, key] of keys.entries()) batch.put(this.#table, key, values[i] as Buffer)
    return batch.write(BUFFERED)
  }

  put(key: Buffer, value: Buffer): Promise<unknown> {
    return this.#table.put(key, value, BUFFERED)
  }

  putDurable(key: Buffer, value: Buffer): Promise<unknown> {
    return this.#table.put(key, value, DURABLE)
  }

  drain(): Promise<void> {
    return this.#db.flush()
  }

  get(key: Buffer): Promise<Found> {
    return this.#table.get(key)
  }

  getSync(key: Buffer): Found {
    return this.#table.getSync(key)
  }

  getMany(keys: Buffer[]): Promise<Found[]> {
    return this.#table.getMany(keys)
  }

  has(key: Buffer): Promise<boolean> {
    return this.#table.has(key)
  }

  async scan(tally: Tally, { reverse }: { reverse: boolean }): Promise<void> {
    for await (const page of this.#table.scan({ reverse }).pages()) {
      for (const [key, value] of page) tally.row(key, value)
    }
  }

  async iterate(tally: Tally): Promise<void> {
    for await (const [key, value] of this.#table.scan()) tally.row(key, value)
  }

  async seek(key: Buffer, count: number, tally: Tally): Promise<void> {
    for (const [k, v] of await this.#table.scan({ gte: key, limit: count }).toArray()) {
      tally.row(k, v)
    }
  }

  close(): Promise<void> {
    return this.#db.close()
  }
}
