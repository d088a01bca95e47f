import { compareBytes } from '@firn/bytes'
import { CorruptionError, isFirnError } from '@firn/env'
import { KIND_DELETE, KIND_MERGE } from '@firn/mvcc'
import type { StatisticsCollector } from '../statistics.js'
import type { SstVerification, VerifyOptions } from '../verification.js'
import type { DataBlock } from './block.js'
import type { BlockFile } from './block-file.js'
import type { Filter } from './filter.js'
import { KeyHash } from './filter-hash.js'
import type { IndexBlock } from './index-block.js'
import type { Properties } from './properties.js'

const READ_BYTES: number = 1024 * 1024

/**
 * Checks a whole file, past the cache:
 *
 * 1. Every partition and block is read, and its checksum and content are correct.
 * 2. Each record comes after the one before, also across blocks, and the records of each block are
 *    between its separators.
 * 3. The filter lets every key pass.
 * 4. At the end, if there was no problem, counts and statistics equal those of the properties.
 */
export class Verifier {
  readonly #file: BlockFile
  readonly #properties: Properties
  readonly #filter: Filter | undefined
  readonly #options: VerifyOptions
  readonly #collectors: readonly [string, StatisticsCollector][]
  readonly #hash = new KeyHash()

  #problems = 0
  #blocks = 0
  #records = 0
  #deletes = 0
  #merges = 0
  #keys = 0
  #rawKeyBytes = 0
  #rawValueBytes = 0
  #minTimestamp = Number.POSITIVE_INFINITY
  #maxTimestamp = 0
  #smallest: Uint8Array | undefined
  #key: Uint8Array | undefined
  #timestamp = 0

  constructor(
    file: BlockFile,
    properties: Properties,
    filter: Filter | undefined,
    options: VerifyOptions,
  ) {
    this.#file = file
    this.#properties = properties
    this.#filter = filter
    this.#options = options
    this.#collectors = Object.entries(options.statistics ?? {})
  }

  async run(): Promise<SstVerification> {
    const file = this.#file
    for (let partition = 0; partition < file.partitionCount; partition++) {
      let index: IndexBlock
      try {
        index =
          file.partitions === undefined
            ? file.index
            : await file.readPartition(partition, this.#options.signal)
      } catch (error) {
        this.#report(error)
        continue
      }
      if (file.partitions !== undefined) this.#checkSeparator(file.index, partition, 'partition')
      await this.#checkBlocks(index)
    }
    if (this.#problems === 0) this.#checkProperties()
    return {
      blocks: this.#blocks,
      records: this.#records,
      bytes: file.dataBytes,
      problems: this.#problems,
    }
  }

  async #checkBlocks(index: IndexBlock): Promise<void> {
    const { signal, onProgress } = this.#options
    let from = index.first
    const end = index.first + index.count
    while (from < end) {
      signal?.throwIfAborted()
      // `as number` in this class: offsets and rows were validated when they were decoded.
      const start = index.offsets[from - index.first] as number
      let to = from
      while (
        to + 1 < end &&
        (index.offsets[to + 2 - index.first] as number) - start <= READ_BYTES
      ) {
        to++
      }
      const results = await this.#file.readRun(index, from, to, signal)
      for (const [i, result] of results.entries()) {
        const child = from + i - index.first
        if (child > 0) this.#checkSeparator(index, child, 'block')
        if (result.status === 'fulfilled') this.#checkBlock(result.value, index, child)
        else this.#report(result.reason)
      }
      from = to + 1
      onProgress?.(index.offsets[from - index.first] as number, this.#file.dataBytes)
    }
  }

  /** Checks that all records so far are before the separator. */
  #checkSeparator(index: IndexBlock, child: number, what: string): void {
    if (this.#key === undefined || child === 0) return
    const before = index.compareSeparator(child, this.#key, this.#timestamp)
    if (before <= 0) this.#fail(`the separator of ${what} ${index.first + child} is too small`)
  }

  #checkBlock(block: DataBlock, index: IndexBlock, child: number): void {
    this.#blocks++
    const ordinal = index.first + child
    for (let row = 0; row < block.rows; row++) {
      const key = block.keyOf(row)
      const timestamp = block.timestampOf(row)
      const order = this.#key === undefined ? -1 : compareBytes(this.#key, key)
      if (order > 0 || (order === 0 && this.#timestamp <= timestamp)) {
        this.#fail(`block ${ordinal} begins before the end of the one before`)
      }
      if (row === 0 && child > 0 && index.compareSeparator(child, key, timestamp) > 0) {
        this.#fail(`the separator of block ${ordinal} is too large`)
      }
      if (order !== 0) this.#checkKey(key, ordinal)
      this.#count(block, row, key, timestamp)
      this.#key = key
      this.#timestamp = timestamp
    }
  }

  #checkKey(key: Uint8Array, ordinal: number): void {
    this.#keys++
    this.#smallest ??= key
    if (this.#filter === undefined) return
    this.#hash.hash(key, 0, key.length)
    if (!this.#filter.mayContain(this.#hash.first, this.#hash.second)) {
      this.#fail(`the filter denies a key of block ${ordinal}`)
    }
  }

  #count(block: DataBlock, row: number, key: Uint8Array, timestamp: number): void {
    const kind = block.kindOf(row)
    const value = block.valueOf(row)
    this.#records++
    if (kind === KIND_DELETE) {
      this.#deletes++
      if (value.length > 0) this.#fail('a delete has a value')
    } else if (kind === KIND_MERGE) this.#merges++
    this.#rawKeyBytes += key.length
    this.#rawValueBytes += value.length
    if (timestamp < this.#minTimestamp) this.#minTimestamp = timestamp
    if (timestamp > this.#maxTimestamp) this.#maxTimestamp = timestamp
    for (const [, collector] of this.#collectors) {
      collector.add(key, kind === KIND_DELETE ? undefined : value)
    }
  }

  #checkProperties(): void {
    const properties = this.#properties
    const stamped = properties.timestamps && this.#records > 0
    const expectations: [string, number, number][] = [
      ['blocks', properties.blocks, this.#blocks],
      ['records', properties.records, this.#records],
      ['deletes', properties.deletes, this.#deletes],
      ['merges', properties.merges, this.#merges],
      ['keys', properties.keys, this.#keys],
      ['key bytes', properties.rawKeyBytes, this.#rawKeyBytes],
      ['value bytes', properties.rawValueBytes, this.#rawValueBytes],
      ['smallest timestamp', properties.minTimestamp, stamped ? this.#minTimestamp : 0],
      ['largest timestamp', properties.maxTimestamp, stamped ? this.#maxTimestamp : 0],
    ]
    for (const [what, said, counted] of expectations) {
      if (said !== counted) this.#fail(`its properties say ${said} ${what}, but it has ${counted}`)
    }
    const none = new Uint8Array(0)
    if (compareBytes(properties.smallest, this.#smallest ?? none) !== 0) {
      this.#fail('its properties have another smallest key')
    }
    if (compareBytes(properties.largest, this.#key ?? none) !== 0) {
      this.#fail('its properties have another largest key')
    }
    for (const [name, collector] of this.#collectors) {
      const said = properties.statistics[name]
      if (said === undefined || compareBytes(said, collector.finish()) !== 0) {
        this.#fail('its properties have other statistics')
      }
    }
  }

  #fail(problem: string): void {
    this.#report(new CorruptionError(`SST ${this.#file.identity.fileId}: ${problem}`))
  }

  #report(error: unknown): void {
    const { onProblem } = this.#options
    if (onProblem === undefined || !isFirnError(error, 'FIRN_CORRUPTION')) throw error
    this.#problems++
    onProblem(error)
  }
}
