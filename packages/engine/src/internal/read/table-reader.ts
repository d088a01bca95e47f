import { copyBytes } from '@firn/bytes'
import { separateSignals, type TimeSlice } from '@firn/env'
import { ABSENT, FOUND, type LookupStatus, NOT_RESIDENT } from '@firn/mvcc'
import { type Encoding, encodeWith, isBytes } from '../../encoding.js'
import { NotResidentError, SnapshotExpiredError } from '../../errors.js'
import type { Range, ReadOptions, ScanOptions } from '../../range.js'
import type { Rows, Scan } from '../../scan.js'
import type { ReadableTable, WarmReport } from '../../table.js'
import { assertKeys, TakenKey, TakenKeys } from '../arguments/keys.js'
import { assertNone } from '../arguments/members.js'
import { type TakenRange, takeRange } from '../arguments/range.js'
import {
  NO_READ_OPTIONS,
  type TakenReadOptions,
  type TakenScanOptions,
  takeReadOptions,
  takeScanOptions,
  takeSignal,
} from '../arguments/read-options.js'
import { assertKey } from '../arguments/sizes.js'
import { Slab } from '../memtable/slab.js'
import { PointLookup } from '../view/point-lookup.js'
import type { TableIdentity } from '../view/table-identity.js'
import type { TableView } from '../view/table-view.js'
import type { View } from '../view/view.js'
import { keyBounds } from './key-bounds.js'
import { afterMissingFile, type FailedRead } from './missing-files.js'
import { PageReader, type ReadProgress, type ScanStart } from './page-reader.js'
import type { ReadPoint, ReadSource } from './read-source.js'
import { RowScan } from './row-scan.js'
import { warmFiles } from './warm-files.js'

// `getMany` reads the clock after this many keys answered from memory, some 100 µs.
const KEYS_PER_LOOK = 64

// Number of reads of one `getMany` that wait for I/O at a time.
const PARALLEL_READS = 32

/** A lookup, and the part of the view that it searches. */
interface BegunLookup {
  part: TableView
  lookup: PointLookup
}

/** A lookup that memory couldn't answer, with its read point held. */
interface WaitingLookup extends BegunLookup {
  point: ReadPoint
}

/** Reads of one table from a source. */
export class TableReader<K, V> implements ReadableTable<K, V> {
  readonly #table: TableIdentity
  readonly #source: ReadSource
  readonly #slice: TimeSlice
  readonly #slab: Slab = new Slab()
  // The table's part of the last view, and the lookup that reads reuse.
  #view: View | undefined
  #part: TableView | undefined
  #lookup: PointLookup | undefined

  constructor(table: TableIdentity, source: ReadSource) {
    this.#table = table
    this.#source = source
    this.#slice = source.slice
  }

  get name(): string {
    return this.#table.name
  }

  get(key: K, options?: ReadOptions): Promise<V | undefined> {
    try {
      if (options !== undefined || this.#source.isStale()) return this.#getWith(key, options)
      const status = this.#find(key)
      if (status === NOT_RESIDENT) return this.#getLater(key, NO_READ_OPTIONS, this.#handOn())
      return this.#answer(status === FOUND ? this.#take(this.#lookup as PointLookup) : undefined)
    } catch (error) {
      return Promise.reject(error)
    }
  }

  getSync(key: K, options?: undefined): V | undefined {
    if (options !== undefined) assertNone('getSync', options, ', as it reads the present; use get')
    const status = this.#find(key)
    if (status === FOUND) return this.#take(this.#lookup as PointLookup)
    if (status === NOT_RESIDENT) throw new NotResidentError(this.name)
    return undefined
  }

  has(key: K, options?: ReadOptions): Promise<boolean> {
    try {
      if (options !== undefined || this.#source.isStale()) {
        return this.#hasLater(key, takeReadOptions('has', options))
      }
      const status = this.#find(key)
      if (status === NOT_RESIDENT) return this.#hasLater(key, NO_READ_OPTIONS, this.#handOn())
      return this.#answer(status === FOUND)
    } catch (error) {
      return Promise.reject(error)
    }
  }

  async getMany(keys: readonly K[], options?: ReadOptions): Promise<(V | undefined)[]> {
    const read = takeReadOptions('getMany', options)
    assertKeys('getMany', keys)
    const values: (V | undefined)[] = new Array(keys.length)
    // Keys in memory are read here and now, unless the log must be read first.
    let waiting: number[] | undefined
    let begun: BegunLookup[] = []
    if (options === undefined && !this.#source.isStale()) {
      waiting = []
      for (let i = 0; i < values.length; i++) {
        const status = this.#find(keys[i] as K)
        values[i] = status === FOUND ? this.#take(this.#lookup as PointLookup) : undefined
        if (status === NOT_RESIDENT) {
          waiting.push(i)
          begun.push(this.#takeLookup())
        }
        // The other keys are read at the same moment, which is held for them.
        const isTime = i % KEYS_PER_LOOK === KEYS_PER_LOOK - 1 && this.#slice.look() !== undefined
        if (isTime || begun.length === PARALLEL_READS) while (++i < values.length) waiting.push(i)
      }
      if (waiting.length === 0) return values
    }
    const taken = new TakenKeys(this.#table, keys)
    for (let attempt = 1; ; attempt++) {
      const before = this.#source.view()
      try {
        const point = waiting ? this.#source.hold() : await this.#holdMoment(read)
        try {
          await this.#readMany(taken, waiting ?? [...values.keys()], begun, values, point, read)
        } finally {
          point.view.release()
        }
        return values
      } catch (error) {
        await this.#afterMissingFile(error, { before, options: read, attempt })
        // All keys are read at one moment, which is a new one now.
        waiting = undefined
        begun = []
      }
    }
  }

  scan(options?: ScanOptions<K>): Scan<K, V> {
    return this.#scan('scan', options)
  }

  keys(options?: ScanOptions<K>): Rows<K> {
    return this.#scan('keys', options).keys()
  }

  values(options?: ScanOptions<K>): Rows<V> {
    return this.#scan('values', options).values()
  }

  async count(options?: ScanOptions<K>): Promise<number> {
    let count = 0
    for await (const page of this.#scan('count', options).keys().pages()) count += page.length
    return count
  }

  async warm(
    range: Range<K> = {},
    options?: { signal?: AbortSignal | undefined },
  ): Promise<WarmReport> {
    const taken = takeRange('warm', this.#table, range as Range<never>)
    const signal = takeSignal('warm', options)
    const report: WarmReport = { blocks: 0, bytes: 0, records: 0 }
    for (let attempt = 1; ; attempt++) {
      const before = this.#source.view()
      const reading = { ...NO_READ_OPTIONS, signal }
      try {
        await this.#warmOnce(taken, reading, report)
        return report
      } catch (error) {
        await this.#afterMissingFile(error, { before, options: reading, attempt })
      }
    }
  }

  /** Called before each iteration of a scan; the returned object receives its progress. */
  protected noteRange(_scan: TakenScanOptions): ReadProgress | undefined {
    return undefined
  }

  #scan(call: string, options: ScanOptions<K> | undefined): Scan<K, V> {
    const scan = takeScanOptions(call, this.#table, options as ScanOptions<never> | undefined)
    return new RowScan<K, V>(
      (what) =>
        new PageReader({
          range: this.noteRange(scan),
          slice: this.#slice,
          begin: () => this.#startScan(scan, what),
          continueAt: async ({ view: before, timestamp, error, attempt }) => {
            await this.#afterMissingFile(error, { before, options: scan, attempt, isScan: true })
            const view = this.#source.holdAgain(before)
            return this.#scanAt({ view, timestamp }, scan, what)
          },
        }),
      this.#source.pageRows,
    )
  }

  async #warmOnce(range: TakenRange, options: TakenReadOptions, report: WarmReport): Promise<void> {
    const point = await this.#hold(options)
    try {
      const part = this.#partOf(point)
      if (part === undefined) return
      const bounds = keyBounds(part.tableId, range.encoded())
      const { pause } = this.#slice
      await warmFiles(part, bounds, point.timestamp, { signal: options.signal, pause }, report)
    } finally {
      point.view.release()
    }
  }

  /** Whether memory as it is now may answer a read. */
  #readsAtOnce({ at, fresh, signal }: TakenReadOptions): boolean {
    if (at !== undefined || fresh || this.#source.isStale()) return false
    signal?.throwIfAborted()
    return true
  }

  /**
   * Searches memory; the answer is in `#lookup`. A read that waits after `NOT_RESIDENT` takes the
   * lookup away, because the next `#find` would reuse it for another key.
   */
  #find(key: K): LookupStatus {
    const view = this.#source.view()
    if (view !== this.#view) this.#enter(view)
    const encoding = this.#table.keys as Encoding<K>
    const bytes = encodeWith(encoding, key)
    assertKey(bytes)
    const part = this.#part
    if (part === undefined) return ABSENT
    const lookup = this.#lookup as PointLookup
    lookup.set(bytes, this.#source.timestamp)
    return part.find(lookup)
  }

  #enter(view: View): void {
    const part = this.#partOf({ view, timestamp: this.#source.timestamp })
    this.#view = view
    this.#part = part
    if (part !== undefined) this.#lookup = new PointLookup(part.tableId)
  }

  #getWith(key: K, options: ReadOptions | undefined): Promise<V | undefined> {
    const taken = takeReadOptions('get', options)
    if (!this.#readsAtOnce(taken)) return this.#getLater(key, taken)
    const status = this.#find(key)
    if (status === NOT_RESIDENT) return this.#getLater(key, taken, this.#handOn())
    if (status === ABSENT) return this.#answer(undefined)
    return this.#answer(this.#take(this.#lookup as PointLookup, taken.copy))
  }

  /**
   * Returns an answer from memory. Now and then it gives others a turn, for loops that await
   * nothing else.
   */
  #answer<T>(value: T): Promise<T> {
    const turn = this.#slice.step()
    return turn === undefined ? Promise.resolve(value) : after(turn, value)
  }

  /** Takes away the lookup that `#find` left unfinished, with its view held. */
  #handOn(): WaitingLookup {
    const { part, lookup } = this.#takeLookup()
    const view = (this.#view as View).retain()
    return { part, lookup, point: { view, timestamp: lookup.timestamp } }
  }

  /** Takes away the lookup that `#find` left unfinished. */
  #takeLookup(): BegunLookup {
    const part = this.#part as TableView
    const lookup = this.#lookup as PointLookup
    this.#lookup = new PointLookup(part.tableId)
    return { part, lookup }
  }

  #getLater(key: K, options: TakenReadOptions, waiting?: WaitingLookup): Promise<V | undefined> {
    const { copy } = options
    return this.#lookUp(key, options, (found) => this.#take(found, copy), waiting)
  }

  async #hasLater(key: K, options: TakenReadOptions, waiting?: WaitingLookup): Promise<boolean> {
    return (await this.#lookUp(key, options, () => true, waiting)) ?? false
  }

  /**
   * Returns what `use` makes of the key's value while it is held; `undefined` if the key is absent.
   */
  async #lookUp<T>(
    key: K,
    options: TakenReadOptions,
    use: (found: PointLookup) => T,
    waiting: WaitingLookup | undefined,
  ): Promise<T | undefined> {
    const taken = new TakenKey(this.#table, key, waiting?.lookup.userKey)
    for (let attempt = 1; ; attempt++) {
      const before = waiting?.point.view ?? this.#source.view()
      try {
        const found = await this.#lookUpOnce(taken, options, use, waiting)
        const turn = this.#slice.step()
        if (turn !== undefined) await turn
        return found
      } catch (error) {
        await this.#afterMissingFile(error, { before, options, attempt })
        waiting = undefined
      }
    }
  }

  #afterMissingFile(error: unknown, read: FailedRead): Promise<void> {
    return afterMissingFile(error, this.#table, this.#source, read)
  }

  async #lookUpOnce<T>(
    key: TakenKey,
    options: TakenReadOptions,
    use: (found: PointLookup) => T,
    waiting: WaitingLookup | undefined,
  ): Promise<T | undefined> {
    const point = waiting?.point ?? (await this.#hold(options))
    try {
      const begun = waiting ?? this.#begin(key, point)
      if (begun === undefined) return undefined
      const { part, lookup } = begun
      let status = waiting === undefined ? part.find(lookup) : NOT_RESIDENT
      if (status === NOT_RESIDENT) status = await part.finish(lookup, options.signal)
      return status === FOUND ? use(lookup) : undefined
    } finally {
      point.view.release()
    }
  }

  /** Returns a lookup at a point; `undefined` if the table doesn't exist. */
  #begin(key: TakenKey, point: ReadPoint): BegunLookup | undefined {
    // The table may have been seen for the first time just now, with the encodings it has.
    this.#table.idIn(point.view.state)
    const bytes = key.stored()
    const part = this.#partOf(point)
    if (part === undefined) return undefined
    const lookup = new PointLookup(part.tableId, bytes.length)
    lookup.set(bytes, point.timestamp)
    return { part, lookup }
  }

  async #readMany(
    keys: TakenKeys,
    indexes: readonly number[],
    begun: readonly BegunLookup[],
    values: (V | undefined)[],
    point: ReadPoint,
    { copy, signal }: TakenReadOptions,
  ): Promise<void> {
    // The table may have been seen for the first time just now, with the encodings it has.
    this.#table.idIn(point.view.state)
    const part = this.#partOf(point)
    if (part === undefined) {
      for (const index of indexes) {
        keys.stored(index)
        values[index] = undefined
      }
      return
    }
    let next = 0
    const { signals, end } = separateSignals(signal, Math.min(PARALLEL_READS, indexes.length))
    const work = async (own: AbortSignal | undefined): Promise<void> => {
      let lookup: PointLookup | undefined
      while (next < indexes.length) {
        const waiting = begun[next]
        const index = indexes[next++] as number
        let status: LookupStatus = NOT_RESIDENT
        if (waiting?.part === part) lookup = waiting.lookup
        else {
          lookup ??= new PointLookup(part.tableId)
          lookup.set(keys.stored(index), point.timestamp)
          status = part.find(lookup)
        }
        if (status === NOT_RESIDENT) status = await part.finish(lookup, own)
        values[index] = status === FOUND ? this.#take(lookup, copy) : undefined
        const turn = this.#slice.step()
        if (turn !== undefined) {
          await turn
          own?.throwIfAborted()
        }
      }
    }
    try {
      await Promise.all(signals.map(work))
    } finally {
      // After a failure, no more reads begin.
      next = indexes.length
      end()
    }
  }

  async #hold(options: TakenReadOptions): Promise<ReadPoint> {
    await this.#freshen(options)
    if (options.at !== undefined) return this.#source.holdAt(options.at, options.signal)
    return { view: this.#source.view().retain(), timestamp: this.#source.timestamp }
  }

  #startScan(
    options: TakenScanOptions,
    what: 'entries' | 'keys' | 'values',
  ): ScanStart | Promise<ScanStart> {
    const waits = options.at !== undefined || options.fresh || this.#source.isStale()
    if (!waits) {
      options.signal?.throwIfAborted()
      return this.#scanAt(this.#source.hold(), options, what)
    }
    return this.#holdMoment(options).then((point) => this.#scanAt(point, options, what))
  }

  /** Holds a point for reads of several keys, so that they don't see later writes. */
  async #holdMoment(options: TakenReadOptions): Promise<ReadPoint> {
    await this.#freshen(options)
    const { at, signal } = options
    return at === undefined ? this.#source.hold() : this.#source.holdAt(at, signal)
  }

  /** Reads the log if a read asks for it, or if the last look is too old. */
  async #freshen({ fresh, signal }: TakenReadOptions): Promise<void> {
    signal?.throwIfAborted()
    if (fresh || this.#source.isStale()) await this.#source.refresh(signal)
  }

  #scanAt(
    point: ReadPoint,
    scan: TakenScanOptions,
    what: 'entries' | 'keys' | 'values',
  ): ScanStart {
    try {
      const part = this.#partOf(point)
      if (part === undefined) {
        point.view.release()
        return undefined
      }
      return {
        view: point.view,
        options: {
          tableId: part.tableId,
          timestamp: point.timestamp,
          bounds: keyBounds(part.tableId, scan.range.encoded()),
          reverse: scan.reverse,
          limit: scan.limit,
          signal: scan.signal,
          what,
          copy: scan.copy,
          keys: this.#table.keys,
          values: this.#table.values,
        },
      }
    } catch (error) {
      point.view.release()
      throw error
    }
  }

  #partOf({ view, timestamp }: ReadPoint): TableView | undefined {
    this.#source.assertHas(this.#table, view)
    const id = this.#table.idIn(view.state)
    const part = id === undefined ? undefined : view.table(id)
    if (part !== undefined) this.#assertKept(part, timestamp)
    return part
  }

  #assertKept(part: TableView, timestamp: number): void {
    if (timestamp < part.historyFloor) {
      throw new SnapshotExpiredError(
        `table ${JSON.stringify(this.name)} keeps history from ${new Date(part.historyFloor / 1000).toISOString()} on, which is after the moment asked for; give the table a longer history to read further back`,
      )
    }
  }

  /** Returns the value that a lookup found, for the caller to keep. */
  #take({ valueBytes, valueStart, valueEnd }: PointLookup, copy = false): V {
    const values = this.#table.values
    const bytes = copy
      ? copyBytes(valueBytes, valueStart, valueEnd)
      : this.#slab.copy(valueBytes, valueStart, valueEnd)
    return (isBytes(values) ? bytes : values.decode(bytes)) as V
  }
}

/** Separate from its caller, where its closure would cost memory in every call. */
async function after<T>(turn: Promise<void>, value: T): Promise<T> {
  await turn
  return value
}
