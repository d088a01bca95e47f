import { copyBytes, utf8Encode } from '@firn/bytes'
import { ClosedError, InvalidArgumentError } from '@firn/env'
import { KIND_DELETE, KIND_MERGE, KIND_PUT, MAX_KIND, MAX_TIMESTAMP } from '@firn/mvcc'
import { BlockBuilder } from './internal/block-builder.js'
import { type Compression, codecOf } from './internal/codec.js'
import { buildFilter } from './internal/filter.js'
import { KeyHash } from './internal/filter-hash.js'
import { encodeFooter, FOOTER_FIXED_BYTES } from './internal/footer.js'
import {
  MAX_BLOCK_BYTES,
  MAX_FILE_ID_BYTES,
  MAX_KEY_BYTES,
  MAX_STATISTICS_BYTES,
  MAX_VALUE_BYTES,
} from './internal/format.js'
import { FileIdentity } from './internal/identity.js'
import { IndexBuilder } from './internal/index-builder.js'
import { Output } from './internal/output.js'
import {
  encodeProperties,
  SECTION_FILTER,
  SECTION_INDEX,
  type Section,
} from './internal/properties.js'
import type { StatisticsCollector } from './statistics.js'
import type { SstSummary } from './summary.js'

export interface SstWriterOptions {
  /**
   * Permanent id of the file: 1 to 1,024 bytes of UTF-8. All checksums include it, and a reader can
   * require it.
   */
  fileId: string
  compression: Compression
  /** Target size of a data block before compression, at least 64 bytes. Default 8 KiB. */
  blockBytes?: number | undefined
  /** Bits of filter for each key, up to 32; 0: no filter. Default 10: 1 % false positives. */
  filterBitsPerKey?: number | undefined
  /**
   * 'record': each record stores a timestamp. 'file': the file stores none, no key may appear
   * twice, and a reader must be given the one timestamp that all records have.
   */
  timestamps: 'record' | 'file'
  /** Statistics collectors by name; each serves this file only. */
  statistics?: Record<string, StatisticsCollector> | undefined
  /**
   * Size of an index partition. Default 64 KiB. An index of up to 16 times this size isn't split:
   * it is read when the file is opened, and stays in memory.
   */
  indexPartitionBytes?: number | undefined
}

const NO_BYTES = new Uint8Array(0)

// An index of up to this many partitions is flat.
const FLAT_PARTITIONS = 16

/**
 * Writes one file from records in internal order: keys ascending (as unsigned bytes), then
 * timestamps descending. If `take` is called regularly, memory is bounded by blocks, index and
 * filter.
 *
 * ```ts
 * const writer = new SstWriter({ fileId: 'a', compression: 'lz4', timestamps: 'record' })
 * writer.add(key, value, { timestamp: 1 })
 * const summary = writer.finish()
 * await write(writer.take())
 * ```
 */
export class SstWriter {
  readonly #fileId: string
  readonly #codec: number
  readonly #blockBytes: number
  readonly #filterBits: number
  readonly #partitionBytes: number
  readonly #withTimestamps: boolean
  readonly #collectors: readonly [string, StatisticsCollector][]
  readonly #output: Output
  readonly #block = new BlockBuilder()
  readonly #hash = new KeyHash()
  #hashes = new Int32Array(1024)
  #keys = 0

  readonly #index = new IndexBuilder(0, 0)
  // The separator between the current block and the one before.
  #separator: Uint8Array = NO_BYTES
  #separatorTimestamp = 0

  #records = 0
  #deletes = 0
  #merges = 0
  #rawKeyBytes = 0
  #rawValueBytes = 0
  #minTimestamp = MAX_TIMESTAMP
  #maxTimestamp = 0
  #smallest: Uint8Array = NO_BYTES
  #finished = false

  /** Throws `InvalidArgumentError` for an option out of its bounds. */
  constructor(options: SstWriterOptions) {
    const { fileId, blockBytes = 8192, filterBitsPerKey = 10 } = options
    const { indexPartitionBytes = 64 * 1024 } = options
    const idBytes = utf8Encode(fileId).length
    assertBetween('bytes of fileId', idBytes, 1, MAX_FILE_ID_BYTES)
    assertBetween('blockBytes', blockBytes, 64, MAX_BLOCK_BYTES)
    assertBetween('filterBitsPerKey', filterBitsPerKey, 0, 32)
    assertBetween('indexPartitionBytes', indexPartitionBytes, 8, MAX_BLOCK_BYTES)
    const codec = codecOf(options.compression)
    if (codec === undefined) {
      throw new InvalidArgumentError(
        `compression must be 'none', 'lz4' or 'deflate', got ${String(options.compression)}`,
      )
    }
    if (options.timestamps !== 'record' && options.timestamps !== 'file') {
      throw new InvalidArgumentError(
        `timestamps must be 'record' or 'file', got ${String(options.timestamps)}`,
      )
    }
    this.#fileId = fileId
    this.#codec = codec
    this.#blockBytes = blockBytes
    this.#filterBits = filterBitsPerKey
    this.#partitionBytes = indexPartitionBytes
    this.#withTimestamps = options.timestamps === 'record'
    this.#collectors = Object.entries(options.statistics ?? {})
    this.#output = new Output(new FileIdentity(fileId))
  }

  /** Number of records added. */
  get records(): number {
    return this.#records
  }

  /**
   * Approximate size of the file if it ended before the current block, whose size isn't known until
   * it is compressed.
   */
  get writtenBytes(): number {
    return this.#output.offset + this.#metaBytes
  }

  /**
   * Appends a record, and copies its key and value. The value of a delete is empty.
   *
   * Throws `InvalidArgumentError`, and appends nothing, for a record out of order, a kind that this
   * release doesn't know, a delete with a value, a key over 128 KiB, a value over 256 MiB, or a
   * timestamp that isn't an integer from 0 to 2^53 - 1. Throws `ClosedError` after `finish`.
   */
  append(
    keyBytes: Uint8Array,
    keyStart: number,
    keyEnd: number,
    timestamp: number,
    kind: number,
    valueBytes: Uint8Array,
    valueStart: number,
    valueEnd: number,
  ): void {
    if (this.#finished) throw new ClosedError(`SST ${this.#fileId}: the writer is finished`)
    const keyLength = keyEnd - keyStart
    const valueLength = valueEnd - valueStart
    const stamp = this.#withTimestamps ? timestamp : 0
    if (
      !(keyLength >= 0 && keyLength <= MAX_KEY_BYTES) ||
      !(valueLength >= 0 && valueLength <= MAX_VALUE_BYTES) ||
      !(stamp >= 0 && stamp <= MAX_TIMESTAMP && Math.floor(stamp) === stamp) ||
      (kind !== KIND_PUT && kind !== KIND_DELETE && kind !== KIND_MERGE) ||
      (kind === KIND_DELETE && valueLength > 0)
    ) {
      throw this.#refusal(keyLength, valueLength, stamp, kind)
    }
    const block = this.#block
    const rows = block.rows
    let shared = -1
    if (rows > 0) {
      const keys = block.keys
      // `as number`: rows + 1 offsets exist, and each row has a timestamp.
      const before = block.keyOffsets[rows - 1] as number
      const beforeLength = (block.keyOffsets[rows] as number) - before
      const limit = Math.min(keyLength, beforeLength)
      shared = 0
      while (shared < limit && keys[before + shared] === keyBytes[keyStart + shared]) shared++
      if (shared === keyLength && shared === beforeLength) {
        if (!this.#withTimestamps || stamp >= (block.timestamps[rows - 1] as number)) {
          throw this.#disorder()
        }
        shared = -1
      } else if (
        shared === keyLength ||
        (shared < beforeLength &&
          (keys[before + shared] as number) > (keyBytes[keyStart + shared] as number))
      ) {
        throw this.#disorder()
      }
      const known = shared < 0 ? keyLength : shared
      if (block.full || block.sizeWith(known, keyLength, valueLength) > this.#blockBytes) {
        const last = block.timestamps[rows - 1] as number
        this.#finishBlock()
        const end = shared < 0 ? keyEnd : keyStart + shared + 1
        this.#separator = copyBytes(keyBytes, keyStart, end)
        this.#separatorTimestamp = shared < 0 ? last : 0
      }
    } else {
      this.#smallest = copyBytes(keyBytes, keyStart, keyEnd)
    }
    if (this.#filterBits > 0 && (shared >= 0 || rows === 0)) {
      this.#addHash(keyBytes, keyStart, keyEnd)
    }
    if (shared >= 0 || rows === 0) this.#keys++
    block.add(shared, keyBytes, keyStart, keyEnd, stamp, kind, valueBytes, valueStart, valueEnd)
    this.#records++
    if (kind === KIND_DELETE) this.#deletes++
    else if (kind === KIND_MERGE) this.#merges++
    this.#rawKeyBytes += keyLength
    this.#rawValueBytes += valueLength
    if (this.#collectors.length > 0) {
      this.#collect(
        keyBytes.subarray(keyStart, keyEnd),
        kind === KIND_DELETE ? undefined : valueBytes.subarray(valueStart, valueEnd),
      )
    }
  }

  /**
   * Appends a record given as arrays. Without `kind` it is a delete if `value` is undefined, and a
   * put otherwise. `timestamp` is required unless the file stores none.
   */
  add(
    key: Uint8Array,
    value: Uint8Array | undefined,
    options: { timestamp?: number; kind?: number } = {},
  ): void {
    const { timestamp = this.#withTimestamps ? -1 : 0 } = options
    const { kind = value === undefined ? KIND_DELETE : KIND_PUT } = options
    const bytes = value ?? NO_BYTES
    this.append(key, 0, key.length, timestamp, kind, bytes, 0, bytes.length)
  }

  /** Returns the chunks finished since the last call, in file order. They belong to the caller. */
  take(): Uint8Array[] {
    return this.#output.take()
  }

  /** Ends the file; `take` then returns the rest of it. Throws `ClosedError` the second time. */
  finish(): SstSummary {
    if (this.#finished) throw new ClosedError(`SST ${this.#fileId}: the writer is finished`)
    const statistics = this.#finishStatistics()
    this.#finished = true
    const block = this.#block
    const { rows } = block
    const largest =
      rows === 0
        ? NO_BYTES
        : block.keys.slice(block.keyOffsets[rows - 1] as number, block.keyOffsets[rows] as number)
    if (rows > 0) this.#finishBlock()
    const output = this.#output
    const dataBytes = output.offset
    const { content: indexContent, partitions } = this.#finishIndex()
    const tailStart = output.offset
    const sections: Section[] = []
    const section = (id: number, content: Uint8Array) => {
      const { offset } = output
      sections.push({ id, offset, length: output.plainBlock(content) })
    }
    section(SECTION_INDEX, indexContent)
    if (this.#filterBits > 0 && this.#keys > 0) {
      section(SECTION_FILTER, buildFilter(this.#hashes, this.#keys, this.#filterBits))
    }
    this.#hashes = new Int32Array(0)
    const counts = {
      records: this.#records,
      deletes: this.#deletes,
      merges: this.#merges,
      keys: this.#keys,
      rawKeyBytes: this.#rawKeyBytes,
      rawValueBytes: this.#rawValueBytes,
      smallest: this.#smallest,
      largest,
      minTimestamp: this.#records === 0 ? 0 : this.#minTimestamp,
      maxTimestamp: this.#maxTimestamp,
      statistics,
    }
    const dataBlocks = this.#index.count
    const propertiesBytes = output.plainBlock(
      encodeProperties({
        ...counts,
        dataBytes,
        blocks: dataBlocks,
        indexLevels: partitions.length === 0 ? 1 : 2,
        partitions,
        timestamps: this.#withTimestamps,
        codec: this.#codec,
        blockBytes: this.#blockBytes,
        sections,
      }),
    )
    const footerBytes = FOOTER_FIXED_BYTES + utf8Encode(this.#fileId).length
    const fileBytes = output.offset + footerBytes
    const tailBytes = fileBytes - tailStart
    output.bytes(encodeFooter({ fileId: this.#fileId, fileBytes, tailBytes, propertiesBytes }))
    return Object.freeze({
      fileId: this.#fileId,
      bytes: fileBytes,
      tailBytes,
      dataBlocks,
      ...counts,
    })
  }

  get #metaBytes(): number {
    return (this.#keys * this.#filterBits) / 8 + this.#index.bytes + 512
  }

  #finishBlock(): void {
    const block = this.#block
    if (block.minTimestamp < this.#minTimestamp) this.#minTimestamp = block.minTimestamp
    if (block.maxTimestamp > this.#maxTimestamp) this.#maxTimestamp = block.maxTimestamp
    const length = block.build()
    const stored = this.#output.block(this.#codec, block.raw, block.view, length)
    this.#index.add(this.#separator, this.#separatorTimestamp, stored)
    block.reset()
  }

  /**
   * Writes the partitions of the index, if it needs any. Returns the content of the index section
   * and the number of blocks in each partition; no partitions for a flat index.
   */
  #finishIndex(): { content: Uint8Array; partitions: number[] } {
    const index = this.#index
    if (index.bytes <= FLAT_PARTITIONS * this.#partitionBytes) {
      return { content: index.build(), partitions: [] }
    }
    const top = new IndexBuilder(1, this.#output.offset)
    const partitions: number[] = []
    let from = 0
    for (const to of index.cuts(this.#partitionBytes)) {
      const stored = this.#output.plainBlock(index.build(from, to))
      top.add(index.separator(from), index.timestamp(from), stored)
      partitions.push(to - from)
      from = to
    }
    return { content: top.build(), partitions }
  }

  #addHash(bytes: Uint8Array, start: number, end: number): void {
    const at = this.#keys * 2
    if (at === this.#hashes.length) {
      const larger = new Int32Array(at * 2)
      larger.set(this.#hashes)
      this.#hashes = larger
    }
    this.#hash.hash(bytes, start, end)
    this.#hashes[at] = this.#hash.first
    this.#hashes[at + 1] = this.#hash.second
  }

  #collect(key: Uint8Array, value: Uint8Array | undefined): void {
    for (const [, collector] of this.#collectors) collector.add(key, value)
  }

  #finishStatistics(): Readonly<Record<string, Uint8Array>> {
    // Without a prototype, a statistic can be named `__proto__`.
    const statistics: Record<string, Uint8Array> = Object.create(null)
    let total = 0
    for (const [name, collector] of this.#collectors) {
      const content = copyBytes(collector.finish())
      statistics[name] = content
      total += content.length + utf8Encode(name).length
    }
    assertBetween('bytes of statistics', total, 0, MAX_STATISTICS_BYTES)
    return statistics
  }

  #disorder(): InvalidArgumentError {
    return new InvalidArgumentError(
      `SST ${this.#fileId}: record ${this.#records} is not after the one before; keys must ascend, ` +
        (this.#withTimestamps
          ? 'and timestamps of one key must descend'
          : 'and come once in a file without timestamps'),
    )
  }

  #refusal(
    keyLength: number,
    valueLength: number,
    timestamp: number,
    kind: number,
  ): InvalidArgumentError {
    const problem = !(keyLength >= 0 && keyLength <= MAX_KEY_BYTES)
      ? `a key of ${keyLength} bytes; use at most ${MAX_KEY_BYTES}`
      : !(valueLength >= 0 && valueLength <= MAX_VALUE_BYTES)
        ? `a value of ${valueLength} bytes; use at most ${MAX_VALUE_BYTES}`
        : kind === KIND_DELETE && valueLength > 0
          ? 'a delete with a value'
          : !(kind >= 0 && kind <= MAX_KIND && Number.isInteger(kind))
            ? `record kind ${kind}, this release knows 0 to ${MAX_KIND}`
            : `timestamp ${timestamp}; use an integer from 0 to 2^53 - 1`
    return new InvalidArgumentError(`SST ${this.#fileId}: record ${this.#records} has ${problem}`)
  }
}

function assertBetween(what: string, value: number, min: number, max: number): void {
  if (!(value >= min && value <= max)) {
    throw new InvalidArgumentError(`${what} must be from ${min} to ${max}, got ${value}`)
  }
}
