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
  signal?: AbortSignal | undefined
  /** Whether to put what is loaded into the cache. Default true. */
  fill?: boolean | undefined
}

export interface WarmOptions {
  signal?: AbortSignal | undefined
  /** Called before each block is decoded. Default: never pauses. */
  pause?: Pause | undefined
}

// The filter saves a lookup the block's cache misses, but costs one of its own. So if a block is in
// memory, the filter is asked only while keys keep being absent. In a database of one sorted run,
// in which most keys are found, a random lookup then takes a tenth less.
const MANY_ABSENCES = 15
const FEW_ABSENCES = 4

/**
 * An open file. Lookups and cursors are synchronous while the blocks they need are in memory. Index
 * and filter are always in memory; blocks come through a cache.
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
  /** Bounds of the records' timestamps; both `timestamp` of the options if the file stores none. */
  readonly minTimestamp: number
  readonly maxTimestamp: number
  readonly rawKeyBytes: number
  readonly rawValueBytes: number
  readonly dataBlocks: number
  readonly tailBytes: number
  readonly statistics: Readonly<Record<string, Uint8Array>>
  /** Memory that index and filter take. Blocks and index partitions belong to the cache. */
  readonly memoryBytes: number
  /** @internal */
  readonly file: BlockFile
  /** @internal */
  readonly properties: Properties
  /** @internal */
  readonly filter: Filter | undefined

  // Whether all records have one timestamp: no lookup then needs to read it.
  readonly #oneTimestamp: boolean
  // Counts up with each lookup of an absent key, and down with each of a present one.
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
   * Opens a file: one read of its tail, and a second one if the tail is longer than guessed.
   *
   * Throws `CorruptionError` if the file is damaged or has another id or size than the options say;
   * `FormatVersionError` for a file of a later release; `InvalidArgumentError` if the options lack
   * a timestamp that the file needs; the source's errors; the signal's reason.
   */
  static async open(source: SstSource, options: OpenOptions = {}): Promise<SstReader> {
    return new SstReader(await openFile(source, options))
  }

  /**
   * Looks for the newest version of the lookup's key at or before its timestamp. Returns `FOUND`
   * (the lookup's out fields are set), `ABSENT`, or `NOT_RESIDENT`: then `await load(lookup)` and
   * call `find` again. A delete is found, as a record of that kind.
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
   * Loads what `find` lacked: one read for a file with a flat index, up to two for a large one. The
   * lookup keeps it until its next `set`, so the next `find` doesn't depend on the cache.
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
      // Held even if it is cached: loading the block may evict it.
      lookup.hold(this, ~partition, index)
    }
    const ordinal = index.first + index.search(keyBytes, keyStart, keyEnd, timestamp)
    lookup.hold(this, ordinal, await file.fetchBlock(index, ordinal, options))
  }

  /** Whether the file may have the key; false is certain. Without a filter, true if not empty. */
  mayContain(lookup: SstLookup): boolean {
    if (this.filter === undefined) return this.records > 0
    if (!lookup.hashed) lookup.computeHash()
    return this.filter.mayContain(lookup.hash1, lookup.hash2)
  }

  /** Creates a cursor over all versions of all records. Start it with `first` or `seek`. */
  cursor(options: SstCursorOptions = {}): SstCursor {
    this.file.assertOpen()
    return new SstCursor(this.file, options)
  }

  /**
   * Loads the blocks that may hold keys from `first` to `last` into the cache, which may not keep
   * all of them, in reads of up to 1 MiB. Yields what each read loaded; nothing if all blocks were
   * in memory. Throws `CorruptionError`, the source's errors, or the signal's reason.
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
   * Checks the whole file, past the cache: checksums, order, separators and filter, then counts,
   * properties and, if collectors are given, statistics. Throws `CorruptionError` for the first
   * problem, or calls `onProblem` for each. Counts, properties and statistics are compared only if
   * nothing else is wrong.
   */
  async verify(options: VerifyOptions = {}): Promise<SstVerification> {
    this.file.assertOpen()
    return await new Verifier(this.file, this.properties, this.filter, options).run()
  }

  /** Describes every data block, for dumps. Reads one block at a time, past the cache. */
  async *blocks(
    options: { signal?: AbortSignal | undefined } = {},
  ): AsyncGenerator<SstBlockDescription, void, undefined> {
    const { file } = this
    for (let partition = 0; partition < file.partitionCount; partition++) {
      const index = await file.fetchPartition(partition, options)
      for (let ordinal = index.first; ordinal < index.first + index.count; ordinal++) {
        yield await file.describeBlock(index, ordinal, options.signal)
      }
    }
  }

  /** Closes the source and releases the cache's handles. Idempotent. */
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

  /** Before a read, checks whether the filter or the file's key range excludes the key. */
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
