import { compareRanges } from '@firn/bytes'
import { ABSENT, FOUND, type LookupStatus, NOT_RESIDENT } from '@firn/mvcc'
import { SstCursor, type SstCursorOptions } from './cursor.js'
import { type DataBlock, HEADS } from './internal/block.js'
import type { BlockFile } from './internal/block-file.js'
import type { Filter } from './internal/filter.js'
import type { IndexBlock } from './internal/index-block.js'
import { type OpenedFile, type OpenOptions, openFile } from './internal/open-file.js'
import type { Properties } from './internal/properties.js'
import { Verifier } from './internal/verifier.js'
import { warmBlocks } from './internal/warm-blocks.js'
import type { SstLookup } from './lookup.js'
import type { Pause } from './pause.js'
import type { SstSource } from './source.js'
import type { SstSummary } from './summary.js'
import type { SstBlockDescription, SstVerification, VerifyOptions } from './verification.js'
import type { WarmedBlocks } from './warmed-blocks.js'

export interface LoadOptions {
  signal?: AbortSignal
  /** False leaves the cache as it is. Default true. */
  fill?: boolean
}

export interface WarmOptions {
  signal?: AbortSignal | undefined
  /** Asked before each block is decoded. Default: goes on. */
  pause?: Pause | undefined
}

// The filter spares a lookup the block's cache misses, at the price of one of its own. So where a
// block is in memory it is asked only while keys keep being absent: in a database of one sorted
// run, whose keys are mostly found, a random lookup takes a tenth less without.
const MANY_ABSENCES = 15
const FEW_ABSENCES = 4

/**
 * An open file: lookups that are synchronous while the blocks they need are in memory, and cursors.
 * Index and filter are in memory; blocks come through a cache.
 */
export class SstReader implements SstSummary {
  readonly fileId: string
  readonly bytes: number
  readonly records: number
  readonly deletes: number
  readonly merges: number
  readonly keys: number
  readonly smallest: Uint8Array
  readonly largest: Uint8Array
  /**
   * Bounds of the records' timestamps, those that the file stores or the one it was opened with.
   */
  readonly minTimestamp: number
  readonly maxTimestamp: number
  readonly rawKeyBytes: number
  readonly rawValueBytes: number
  readonly dataBlocks: number
  readonly tailBytes: number
  readonly statistics: Readonly<Record<string, Uint8Array>>
  /** What index and filter take in memory; blocks and index partitions are the cache's. */
  readonly memoryBytes: number
  /** @internal */
  readonly file: BlockFile
  /** @internal */
  readonly properties: Properties
  /** @internal */
  readonly filter: Filter | undefined

  // Then no lookup needs to read a record's timestamp.
  readonly #oneTimestamp: boolean
  // Counts up with each lookup of a key that the file doesn't have, down with each of one it has.
  #absences = MANY_ABSENCES

  private constructor({ file, footer, properties, filter }: OpenedFile) {
    this.file = file
    this.properties = properties
    this.filter = filter
    this.fileId = footer.fileId
    this.bytes = footer.fileBytes
    this.tailBytes = footer.tailBytes
    this.records = properties.records
    this.deletes = properties.deletes
    this.merges = properties.merges
    this.keys = properties.keys
    this.smallest = properties.smallest
    this.largest = properties.largest
    this.minTimestamp = file.timestamp ?? properties.minTimestamp
    this.maxTimestamp = file.timestamp ?? properties.maxTimestamp
    this.#oneTimestamp = this.minTimestamp === this.maxTimestamp
    this.rawKeyBytes = properties.rawKeyBytes
    this.rawValueBytes = properties.rawValueBytes
    this.dataBlocks = properties.blocks
    this.statistics = properties.statistics
    this.memoryBytes = file.index.memoryBytes + (filter?.memoryBytes ?? 0)
  }

  /**
   * Opens a file: one read of its tail, and a second one if index and filter are longer than was
   * guessed.
   *
   * Throws `CorruptionError` for a damaged file, or another than the id or size says;
   * `FormatVersionError` for a file of a later release; `InvalidArgumentError` where a timestamp is
   * needed; the source's errors; the signal's reason.
   */
  static async open(source: SstSource, options: OpenOptions = {}): Promise<SstReader> {
    return new SstReader(await openFile(source, options))
  }

  /**
   * The newest version of the lookup's key at or before its timestamp: `FOUND` (the lookup's out
   * fields are set), `ABSENT`, or `NOT_RESIDENT`: then `await load(lookup)` and ask again. A delete
   * is found as a record of that kind.
   */
  find(lookup: SstLookup): LookupStatus {
    const { file } = this
    if (file.closed) file.assertOpen()
    const { keyBytes, keyStart, keyEnd, timestamp } = lookup
    if (timestamp < this.minTimestamp || this.records === 0) return ABSENT
    const askFilter = this.#absences > FEW_ABSENCES
    if (askFilter && !this.mayContain(lookup)) return this.#absent()
    let { index } = file
    if (index.level === 1) {
      const partition = index.search(keyBytes, keyStart, keyEnd, timestamp)
      const resident = this.#partition(lookup, partition)
      if (resident === undefined) return this.#missing(lookup, askFilter)
      index = resident
    }
    const ordinal = index.first + index.search(keyBytes, keyStart, keyEnd, timestamp)
    let block = file.blocks.peek(ordinal)
    if (block === undefined) {
      block = lookup.held(this, ordinal) as DataBlock | undefined
      if (block === undefined) return this.#missing(lookup, askFilter)
    }
    const place = block.search(keyBytes, keyStart, keyEnd)
    if (place >= 0) return this.#absent()
    if (this.#absences > 0) this.#absences--
    let row = ~place
    let found = this.#oneTimestamp ? this.minTimestamp : block.timestampOf(row)
    if (found > timestamp) {
      if (!block.duplicates) return ABSENT
      const newest = row
      do {
        row++
        if (row === block.rows || !block.sameKey(row, newest)) return ABSENT
        found = block.timestampOf(row)
      } while (found > timestamp)
    }
    lookup.foundTimestamp = found
    lookup.kind = block.kindOf(row)
    lookup.valueBytes = block.bytes
    const { valueLength } = block
    if (valueLength >= 0) {
      lookup.valueStart = block.valuesStart + row * valueLength
      lookup.valueEnd = lookup.valueStart + valueLength
    } else {
      // `as number`: rows and offsets were validated when the block was decoded.
      const at = HEADS + 2 * block.rows + 1 + row
      lookup.valueStart = block.table[at] as number
      lookup.valueEnd = block.table[at + 1] as number
    }
    return FOUND
  }

  /**
   * Loads what `find` lacked: one read for a file with a flat index, two for a large one. The
   * lookup holds on to it until its next `set`, so that the next `find` finds it whatever the cache
   * does.
   */
  async load(lookup: SstLookup, options: LoadOptions = {}): Promise<void> {
    const { file } = this
    file.assertOpen()
    if (this.records === 0) return
    const { keyBytes, keyStart, keyEnd, timestamp } = lookup
    let { index } = file
    if (index.level === 1) {
      const partition = index.search(keyBytes, keyStart, keyEnd, timestamp)
      index = this.#partition(lookup, partition) ?? (await file.fetchPartition(partition, options))
      // Held even if it is cached: the block's arrival may drive it out.
      lookup.hold(this, ~partition, index)
    }
    const ordinal = index.first + index.search(keyBytes, keyStart, keyEnd, timestamp)
    lookup.hold(this, ordinal, await file.fetchBlock(index, ordinal, options))
  }

  /** Whether the file may have the key: false is certain. True for a file without a filter. */
  mayContain(lookup: SstLookup): boolean {
    if (this.filter === undefined) return this.records > 0
    if (!lookup.hashed) lookup.computeHash()
    return this.filter.mayContain(lookup.hash1, lookup.hash2)
  }

  /** A cursor over all versions of all records, before the first of them. */
  cursor(options: SstCursorOptions = {}): SstCursor {
    this.file.assertOpen()
    return new SstCursor(this.file, options)
  }

  /**
   * Brings the blocks that may hold keys from `first` to `last` into the cache, as far as it keeps
   * them, by reads of up to 1 MiB, and tells what each read brought: nothing where all are there.
   * Throws `CorruptionError`, the source's errors, or the signal's reason.
   */
  warm(
    first: Uint8Array,
    last: Uint8Array,
    options: WarmOptions = {},
  ): AsyncGenerator<WarmedBlocks, void, undefined> {
    this.file.assertOpen()
    return warmBlocks(this.file, first, last, options)
  }

  /**
   * Walks the whole file, past the cache: checksums, order, separators, counts, filter, properties
   * and, where collectors are given, statistics. Throws `CorruptionError` for the first problem, or
   * tells `onProblem` of each.
   */
  async verify(options: VerifyOptions = {}): Promise<SstVerification> {
    this.file.assertOpen()
    return await new Verifier(this.file, this.properties, this.filter, options).run()
  }

  /** Describes every data block, one read each, past the cache: for dumps. */
  async *blocks(
    options: { signal?: AbortSignal } = {},
  ): AsyncGenerator<SstBlockDescription, void, undefined> {
    const { file } = this
    for (let partition = 0; partition < file.partitionCount; partition++) {
      const index = await file.fetchPartition(partition, options)
      for (let ordinal = index.first; ordinal < index.first + index.count; ordinal++) {
        yield await file.describeBlock(index, ordinal, options.signal)
      }
    }
  }

  /** Closes the source and lets go of the cache's handles. Idempotent. */
  async close(): Promise<void> {
    await this.file.close()
  }

  #partition(lookup: SstLookup, partition: number): IndexBlock | undefined {
    return (
      this.file.peekPartition(partition) ??
      (lookup.held(this, ~partition) as IndexBlock | undefined)
    )
  }

  #absent(): LookupStatus {
    if (this.#absences < MANY_ABSENCES) this.#absences++
    return ABSENT
  }

  /**
   * Before something is read: what the filter denies, or is outside of the file's range, isn't
   * there.
   */
  #missing(lookup: SstLookup, filterAsked: boolean): LookupStatus {
    if (!filterAsked && !this.mayContain(lookup)) return this.#absent()
    const { keyBytes, keyStart, keyEnd } = lookup
    const { smallest, largest } = this
    return compareRanges(keyBytes, keyStart, keyEnd, smallest, 0, smallest.length) < 0 ||
      compareRanges(keyBytes, keyStart, keyEnd, largest, 0, largest.length) > 0
      ? ABSENT
      : NOT_RESIDENT
  }
}
