import { isFirnError } from '@firn/env'
import { MAX_TIMESTAMP } from '@firn/mvcc'
import { type Encoding, encodeWith, isBytes } from '../encoding.js'
import { fileMissing, NotResidentError, SnapshotExpiredError, tableDropped } from '../errors.js'
import type { Range, ReadOptions, ScanOptions } from '../range.js'
import type { Rows, Scan } from '../scan.js'
import type { ReadableTable, WarmReport } from '../table.js'
import { assertScanOptions } from './assert-options.js'
import { keyBounds } from './key-bounds.js'
import { assertKey } from './limits.js'
import { PageReader, type ScanStart } from './page-reader.js'
import { PointLookup } from './point-lookup.js'
import type { ReadRange } from './read-set.js'
import type { ReadPoint, ReadSource } from './read-source.js'
import { RowScan } from './row-scan.js'
import { separateSignals } from './separate-signals.js'
import { Slab } from './slab.js'
import type { TableIdentity } from './table-identity.js'
import { ABSENT, FOUND, NOT_RESIDENT, type TableTree } from './table-tree.js'
import type { Tree } from './tree.js'
import { warmFiles } from './warm-files.js'

// How often a read is made again when its files are compacted away under it.
const MAX_ATTEMPTS = 5

// How many reads of one getMany wait for I/O at a time.
const PARALLEL_READS = 32

/** A read that met a missing file. */
interface FailedRead {
  before: Tree
  options: ReadOptions | undefined
  /** How often it was made. */
  attempt: number
  isScan?: boolean
}

/** Reads of one table from a source. */
export class TableReader<K, V> implements ReadableTable<K, V> {
  readonly #table: TableIdentity
  readonly #source: ReadSource
  readonly #slab: Slab = new Slab()
  // The table's part of the tree that was read last, and the lookup that reads reuse.
  #tree: Tree | undefined
  #part: TableTree | undefined
  #lookup: PointLookup | undefined

  constructor(table: TableIdentity, source: ReadSource) {
    this.#table = table
    this.#source = source
  }

  get name(): string {
    return this.#table.name
  }

  get(key: K, options?: ReadOptions): Promise<V | undefined> {
    try {
      if (options !== undefined || this.#source.isStale()) return this.#getLater(key, options)
      const status = this.#find(key)
      if (status === NOT_RESIDENT) return this.#getLater(key, undefined)
      return Promise.resolve(status === FOUND ? this.#take(this.#lookup as PointLookup) : undefined)
    } catch (error) {
      return Promise.reject(error)
    }
  }

  getSync(key: K): V | undefined {
    const status = this.#find(key)
    if (status === FOUND) return this.#take(this.#lookup as PointLookup)
    if (status === NOT_RESIDENT) throw new NotResidentError(this.name)
    return undefined
  }

  async has(key: K, options?: ReadOptions): Promise<boolean> {
    if (options === undefined && !this.#source.isStale()) {
      const status = this.#find(key)
      if (status !== NOT_RESIDENT) return status === FOUND
    }
    return (await this.#lookUp(key, options, () => true)) ?? false
  }

  async getMany(keys: readonly K[], options?: ReadOptions): Promise<(V | undefined)[]> {
    for (let attempt = 1; ; attempt++) {
      const before = this.#source.tree()
      try {
        return await this.#getManyOnce(keys, options)
      } catch (error) {
        await this.#afterMissingFile(error, { before, options, attempt })
      }
    }
  }

  async #getManyOnce(
    keys: readonly K[],
    options: ReadOptions | undefined,
  ): Promise<(V | undefined)[]> {
    const values: (V | undefined)[] = new Array(keys.length)
    const waiting: number[] = []
    if (options !== undefined || this.#source.isStale()) {
      const point = await this.#holdMoment(options)
      try {
        await this.#readMany(keys, [...keys.keys()], values, point, options?.signal)
      } finally {
        point.tree.release()
      }
      return values
    }
    for (let i = 0; i < keys.length; i++) {
      const status = this.#find(keys[i] as K)
      if (status === NOT_RESIDENT) waiting.push(i)
      else values[i] = status === FOUND ? this.#take(this.#lookup as PointLookup) : undefined
    }
    if (waiting.length > 0) {
      const point = this.#source.hold()
      try {
        await this.#readMany(keys, waiting, values, point, undefined)
      } finally {
        point.tree.release()
      }
    }
    return values
  }

  /** `noted` is told of each reading, how far it got. */
  scan(options: ScanOptions<K> = {}, noted?: () => ReadRange): Scan<K, V> {
    assertScanOptions(options)
    return new RowScan<K, V>(
      (what) =>
        new PageReader({
          range: noted?.(),
          begin: () => this.#startScan(options, what),
          continueAt: async ({ tree: before, timestamp, error, attempt }) => {
            await this.#afterMissingFile(error, { before, options, attempt, isScan: true })
            const { tree } = this.#source.hold()
            return this.#scanAt({ tree, timestamp }, options, what)
          },
        }),
    )
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

  async warm(range: Range<K> = {}, options: { signal?: AbortSignal } = {}): Promise<WarmReport> {
    assertScanOptions(range)
    const report: WarmReport = { blocks: 0, bytes: 0, records: 0 }
    for (let attempt = 1; ; attempt++) {
      const before = this.#source.tree()
      try {
        await this.#warmOnce(range, options, report)
        return report
      } catch (error) {
        await this.#afterMissingFile(error, { before, options, attempt })
      }
    }
  }

  async #warmOnce(range: Range<K>, options: ReadOptions, report: WarmReport): Promise<void> {
    const point = await this.#hold(options)
    try {
      const part = this.#partOf(point)
      if (part === undefined) return
      const bounds = keyBounds(part.tableId, range, this.#table.keys as Encoding<K>)
      await warmFiles(part, bounds, point.timestamp, options.signal, report)
    } finally {
      point.tree.release()
    }
  }

  /** Looks in memory; the answer is in `#lookup`. */
  #find(key: K): typeof FOUND | typeof ABSENT | typeof NOT_RESIDENT {
    const tree = this.#source.tree()
    if (tree !== this.#tree) this.#enter(tree)
    const encoding = this.#table.keys as Encoding<K>
    const bytes = encodeWith(encoding, key)
    assertKey(bytes)
    const part = this.#part
    if (part === undefined) return ABSENT
    const lookup = this.#lookup as PointLookup
    lookup.set(bytes, this.#source.timestamp)
    return part.find(lookup)
  }

  #enter(tree: Tree): void {
    this.#source.assertHas(this.#table, tree)
    const id = this.#table.idIn(tree.state)
    const part = id === undefined ? undefined : tree.table(id)
    if (part !== undefined) this.#assertKept(part, this.#source.timestamp)
    this.#tree = tree
    this.#part = part
    if (id !== undefined) this.#lookup = new PointLookup(id)
  }

  #getLater(key: K, options: ReadOptions | undefined): Promise<V | undefined> {
    return this.#lookUp(key, options, (found) => this.#take(found))
  }

  /** What `use` makes of the key's value, while it is held; `undefined` where there is none. */
  async #lookUp<T>(
    key: K,
    options: ReadOptions | undefined,
    use: (found: PointLookup) => T,
  ): Promise<T | undefined> {
    for (let attempt = 1; ; attempt++) {
      const before = this.#source.tree()
      try {
        return await this.#lookUpOnce(key, options, use)
      } catch (error) {
        await this.#afterMissingFile(error, { before, options, attempt })
      }
    }
  }

  /**
   * Another process may have compacted the file away: then the read is made again on newer files than
   * those of `before`, the tree that there was when it began.
   */
  async #afterMissingFile(error: unknown, read: FailedRead): Promise<void> {
    const { before, options, attempt, isScan = false } = read
    if (!isFirnError(error, 'FIRN_OBJECT_NOT_FOUND')) throw error
    const table = this.#table.idIn(before.state)
    const replaced = await this.#source.refreshFiles(before, options?.signal)
    if (!replaced || attempt === MAX_ATTEMPTS) throw fileMissing(this.name, error)
    const isOfThePast = this.#source.timestamp !== MAX_TIMESTAMP || options?.at !== undefined
    if ((isOfThePast || isScan) && this.#table.idIn(this.#source.tree().state) !== table) {
      throw tableDropped(this.name, error)
    }
  }

  async #lookUpOnce<T>(
    key: K,
    options: ReadOptions | undefined,
    use: (found: PointLookup) => T,
  ): Promise<T | undefined> {
    const point = await this.#hold(options)
    try {
      // The table may have been seen for the first time just now, with the encodings it has.
      this.#table.idIn(point.tree.state)
      const bytes = encodeWith(this.#table.keys as Encoding<K>, key)
      assertKey(bytes)
      const found = await this.#lookUpAt(bytes, point, options?.signal)
      return found === undefined ? undefined : use(found)
    } finally {
      point.tree.release()
    }
  }

  async #lookUpAt(
    key: Uint8Array,
    point: ReadPoint,
    signal: AbortSignal | undefined,
  ): Promise<PointLookup | undefined> {
    const part = this.#partOf(point)
    if (part === undefined) return undefined
    const lookup = new PointLookup(part.tableId, key.length)
    lookup.set(key, point.timestamp)
    for (;;) {
      const status = part.find(lookup)
      if (status === FOUND) return lookup
      if (status === ABSENT) return undefined
      await part.load(lookup, signal)
    }
  }

  async #readMany(
    keys: readonly K[],
    indexes: readonly number[],
    values: (V | undefined)[],
    point: ReadPoint,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const encoding = this.#table.keys as Encoding<K>
    let next = 0
    const workers = Math.min(PARALLEL_READS, indexes.length)
    const { signals, end } = separateSignals(signal, workers)
    const work = async (own: AbortSignal | undefined): Promise<void> => {
      while (next < indexes.length) {
        const index = indexes[next++] as number
        const bytes = encodeWith(encoding, keys[index] as K)
        assertKey(bytes)
        const lookup = await this.#lookUpAt(bytes, point, own)
        values[index] = lookup === undefined ? undefined : this.#take(lookup)
      }
    }
    try {
      await Promise.all(signals.map(work))
    } finally {
      // After a failure nothing more is begun.
      next = indexes.length
      end()
    }
  }

  async #hold(options: ReadOptions | undefined): Promise<ReadPoint> {
    await this.#freshen(options)
    if (options?.at !== undefined) return this.#source.holdAt(options.at, options.signal)
    return { tree: this.#source.tree().retain(), timestamp: this.#source.timestamp }
  }

  #startScan(
    options: ScanOptions<K>,
    what: 'entries' | 'keys' | 'values',
  ): ScanStart | Promise<ScanStart> {
    const waits = options.at !== undefined || options.fresh === true || this.#source.isStale()
    if (!waits) {
      options.signal?.throwIfAborted()
      return this.#scanAt(this.#source.hold(), options, what)
    }
    return this.#holdMoment(options).then((point) => this.#scanAt(point, options, what))
  }

  /** As `#hold`, but what is written while the read goes on isn't seen: for reads of several keys. */
  async #holdMoment(options: ReadOptions | undefined): Promise<ReadPoint> {
    await this.#freshen(options)
    const at = options?.at
    return at === undefined ? this.#source.hold() : this.#source.holdAt(at, options?.signal)
  }

  /** Looks at the log where a read asks for it, or where what is known of it is too old. */
  async #freshen(options: ReadOptions | undefined): Promise<void> {
    const signal = options?.signal
    signal?.throwIfAborted()
    if (options?.fresh === true || this.#source.isStale()) await this.#source.refresh(signal)
  }

  #scanAt(
    point: ReadPoint,
    options: ScanOptions<K>,
    what: 'entries' | 'keys' | 'values',
  ): ScanStart {
    try {
      const part = this.#partOf(point)
      if (part === undefined) {
        point.tree.release()
        return undefined
      }
      const keys = this.#table.keys
      return {
        tree: point.tree,
        options: {
          tableId: part.tableId,
          timestamp: point.timestamp,
          bounds: keyBounds(part.tableId, options, keys as Encoding<K>),
          reverse: options.reverse ?? false,
          limit: options.limit ?? Number.POSITIVE_INFINITY,
          signal: options.signal,
          what,
          keys,
          values: this.#table.values,
        },
      }
    } catch (error) {
      point.tree.release()
      throw error
    }
  }

  #partOf({ tree, timestamp }: ReadPoint): TableTree | undefined {
    this.#source.assertHas(this.#table, tree)
    const id = this.#table.idIn(tree.state)
    const part = id === undefined ? undefined : tree.table(id)
    if (part !== undefined) this.#assertKept(part, timestamp)
    return part
  }

  #assertKept(part: TableTree, timestamp: number): void {
    if (timestamp < part.historyFloor) {
      throw new SnapshotExpiredError(
        `table ${JSON.stringify(this.name)} keeps history from ${new Date(part.historyFloor / 1000).toISOString()} on, which is after the moment asked for; give the table a longer history to read further back`,
      )
    }
  }

  /** The value a lookup found, for the caller to keep. */
  #take({ valueBytes, valueStart, valueEnd }: PointLookup): V {
    const values = this.#table.values
    const copy = this.#slab.copy(valueBytes, valueStart, valueEnd)
    return (isBytes(values) ? copy : values.decode(copy)) as V
  }
}
