import type { CachedFile } from '@firn/block-cache'
import { ClosedError, CorruptionError, Flight, isFirnError, separateSignals } from '@firn/env'
import type { Pause } from '../pause.js'
import type { SstSource } from '../source.js'
import type { SstBlockDescription } from '../verification.js'
import type { DataBlock } from './block.js'
import { decodeBlock } from './block-decoder.js'
import { codecName } from './codec.js'
import { openBlock, TRAILER_BYTES } from './envelope.js'
import { MAX_BLOCK_BYTES } from './format.js'
import type { FileIdentity } from './identity.js'
import type { IndexBlock } from './index-block.js'
import { decodeIndex } from './index-decoder.js'

export interface FetchOptions {
  fill?: boolean | undefined
  signal?: AbortSignal | undefined
  /** See `SstCursorOptions`. */
  pause?: Pause | undefined
}

/** The blocks of one open file: their places in it, those in memory, and how to load the others. */
export class BlockFile {
  readonly identity: FileIdentity
  readonly source: SstSource
  /** The index section: of blocks (level 0), or of partitions (level 1). */
  readonly index: IndexBlock
  readonly blocks: CachedFile<DataBlock>
  readonly partitions: CachedFile<IndexBlock> | undefined
  readonly blockCount: number
  readonly partitionCount: number
  readonly dataBytes: number
  readonly timestamp: number | undefined
  closed = false
  // The ordinal of each partition's first block, and at the end the number of all blocks.
  readonly #firsts: readonly number[]

  constructor(parts: {
    identity: FileIdentity
    source: SstSource
    index: IndexBlock
    blocks: CachedFile<DataBlock>
    partitions: CachedFile<IndexBlock> | undefined
    /** Number of blocks in each partition; empty for a flat index. */
    partitionBlocks: readonly number[]
    blockCount: number
    dataBytes: number
    timestamp: number | undefined
  }) {
    this.identity = parts.identity
    this.source = parts.source
    this.index = parts.index
    this.blocks = parts.blocks
    this.partitions = parts.partitions
    this.blockCount = parts.blockCount
    this.partitionCount = parts.partitions === undefined ? 1 : parts.index.count
    this.dataBytes = parts.dataBytes
    this.timestamp = parts.timestamp
    let first = 0
    this.#firsts = [0, ...parts.partitionBlocks.map((count) => (first += count))]
  }

  /** Throws `ClosedError` after the reader's `close`. */
  assertOpen(): void {
    if (this.closed) throw new ClosedError(`SST ${this.identity.fileId}: the reader is closed`)
  }

  /** The partition of the index with this ordinal, if it is in memory. */
  peekPartition(partition: number): IndexBlock | undefined {
    return this.partitions === undefined ? this.index : this.partitions.peek(partition)
  }

  async fetchPartition(partition: number, options: FetchOptions): Promise<IndexBlock> {
    this.assertOpen()
    if (this.partitions === undefined) return this.index
    return await this.partitions.load(
      partition,
      (signal) => this.readPartition(partition, signal),
      { signal: options.signal },
    )
  }

  async fetchBlock(index: IndexBlock, ordinal: number, options: FetchOptions): Promise<DataBlock> {
    this.assertOpen()
    return await this.blocks.load(
      ordinal,
      (signal) => this.readBlock(index, ordinal, signal),
      options,
    )
  }

  /**
   * Loads blocks `from` to `to` (inclusive) of one index with one read of the source. Joins loads
   * of other callers that are under way. Each block fails on its own.
   */
  async fetchRun(
    index: IndexBlock,
    from: number,
    to: number,
    options: FetchOptions,
  ): Promise<PromiseSettledResult<DataBlock>[]> {
    this.assertOpen()
    const start = this.#start(index, from)
    const length = this.#end(index, to) - start
    let read: Flight<Uint8Array> | undefined
    options.signal?.throwIfAborted()
    const { signals, end } = separateSignals(options.signal, to - from + 1)
    const loads = signals.map((signal, i) => {
      const load = async (flight?: AbortSignal) => {
        read ??= new Flight((own) => this.#readExactly(start, length, own), {
          abortable: flight !== undefined,
        })
        const bytes = await read.join(flight)
        // Ask again after each pause, because all blocks of the run waited for the same one.
        let turn = options.pause?.()
        for (; turn !== undefined; turn = options.pause?.()) await turn
        return await this.#openFrom(bytes, start, index, from + i, flight)
      }
      return this.blocks.load(from + i, load, { fill: options.fill, signal })
    })
    return await Promise.allSettled(loads).finally(end)
  }

  /** Reads blocks `from` to `to` (inclusive) of one index, as stored, with one read. */
  async readStored(
    index: IndexBlock,
    from: number,
    to: number,
    signal?: AbortSignal,
  ): Promise<Uint8Array> {
    this.assertOpen()
    signal?.throwIfAborted()
    const start = this.#start(index, from)
    const bytes = await this.#readExactly(start, this.#end(index, to) - start, signal)
    signal?.throwIfAborted()
    return bytes
  }

  /**
   * Decodes a block of the `bytes` that `readStored` returned, which begin with block `from`.
   * Returns `undefined` if it is damaged.
   */
  tryDecode(
    index: IndexBlock,
    ordinal: number,
    bytes: Uint8Array,
    from: number,
  ): DataBlock | undefined {
    const offset = this.#start(index, ordinal)
    const start = this.#start(index, from)
    const stored = bytes.subarray(offset - start, this.#end(index, ordinal) - start)
    const name = `block ${ordinal}`
    try {
      const raw = openBlock(stored, this.identity, offset, MAX_BLOCK_BYTES, name)
      return decodeBlock(raw, this.timestamp, this.#place(name, offset))
    } catch (error) {
      if (isFirnError(error, 'FIRN_CORRUPTION')) return undefined
      throw error
    }
  }

  /** Reads blocks like `fetchRun`, but past the cache: neither reads it nor fills it. */
  async readRun(
    index: IndexBlock,
    from: number,
    to: number,
    signal?: AbortSignal,
  ): Promise<PromiseSettledResult<DataBlock>[]> {
    this.assertOpen()
    const start = this.#start(index, from)
    const bytes = await this.#readExactly(start, this.#end(index, to) - start, signal)
    const opened: Promise<DataBlock>[] = []
    for (let ordinal = from; ordinal <= to; ordinal++) {
      opened.push(this.#openFrom(bytes, start, index, ordinal, signal))
    }
    return await Promise.allSettled(opened)
  }

  /** Reads one block from the source, past the cache. */
  async readBlock(index: IndexBlock, ordinal: number, signal?: AbortSignal): Promise<DataBlock> {
    const offset = this.#start(index, ordinal)
    const stored = await this.#readExactly(offset, this.#end(index, ordinal) - offset, signal)
    return await this.#openBlock(stored, offset, ordinal, signal)
  }

  /** Reads one block from the source, and describes it. */
  async describeBlock(
    index: IndexBlock,
    ordinal: number,
    signal?: AbortSignal,
  ): Promise<SstBlockDescription> {
    this.assertOpen()
    const offset = this.#start(index, ordinal)
    const storedBytes = this.#end(index, ordinal) - offset
    const stored = await this.#readExactly(offset, storedBytes, signal)
    const block = await this.#openBlock(stored, offset, ordinal, signal)
    return {
      ordinal,
      offset,
      storedBytes,
      rawBytes: block.bytes.length,
      codec: codecName(stored[storedBytes - TRAILER_BYTES + 4] as number),
      rows: block.rows,
      firstKey: block.keyOf(0),
      lastKey: block.keyOf(block.rows - 1),
      prefixBytes: block.prefixLength,
    }
  }

  /** Reads one partition of the index from the source, past the cache. */
  async readPartition(partition: number, signal?: AbortSignal): Promise<IndexBlock> {
    const { index } = this
    const offset = this.#start(index, partition)
    const stored = await this.#readExactly(offset, this.#end(index, partition) - offset, signal)
    return await this.#open(stored, offset, `index partition ${partition}`, signal, (raw, where) =>
      decodeIndex(
        raw,
        {
          level: 0,
          // `as number`: each partition has an entry, and so does the end.
          first: this.#firsts[partition] as number,
          count: (this.#firsts[partition + 1] as number) - (this.#firsts[partition] as number),
          start: 0,
          end: this.dataBytes,
        },
        where,
      ),
    )
  }

  async close(): Promise<void> {
    if (this.closed) return
    this.closed = true
    this.blocks.close()
    this.partitions?.close()
    await this.source.close?.()
  }

  /** Opens one block of `bytes`, which begin at offset `start` of the file. */
  async #openFrom(
    bytes: Uint8Array,
    start: number,
    index: IndexBlock,
    ordinal: number,
    signal: AbortSignal | undefined,
  ): Promise<DataBlock> {
    const offset = this.#start(index, ordinal)
    const stored = bytes.subarray(offset - start, this.#end(index, ordinal) - start)
    return await this.#openBlock(stored, offset, ordinal, signal)
  }

  async #openBlock(
    stored: Uint8Array,
    offset: number,
    ordinal: number,
    signal: AbortSignal | undefined,
  ): Promise<DataBlock> {
    return await this.#open(stored, offset, `block ${ordinal}`, signal, (raw, where) =>
      decodeBlock(raw, this.timestamp, where),
    )
  }

  #place(name: string, offset: number): string {
    return `${name} at offset ${offset} of SST ${this.identity.fileId}`
  }

  // `as number`: ordinals are those of the index's children.
  #start(index: IndexBlock, ordinal: number): number {
    return index.offsets[ordinal - index.first] as number
  }

  #end(index: IndexBlock, ordinal: number): number {
    return index.offsets[ordinal - index.first + 1] as number
  }

  /** Reads a range of the source, once more if the reply has another length. */
  async #readExactly(offset: number, length: number, signal?: AbortSignal): Promise<Uint8Array> {
    const bytes = await this.source.read(offset, length, { signal })
    if (bytes.length === length) return bytes
    const again = await this.source.read(offset, length, { signal, fresh: true })
    if (again.length === length) return again
    throw new CorruptionError(
      `SST ${this.identity.fileId}: read ${again.length} bytes, not ${length}, at offset ${offset}`,
    )
  }

  /** Checks and decodes a block; if it is damaged, reads it once more. */
  async #open<T>(
    stored: Uint8Array,
    offset: number,
    name: string,
    signal: AbortSignal | undefined,
    decode: (raw: Uint8Array, where: string) => T,
  ): Promise<T> {
    const { identity } = this
    const where = this.#place(name, offset)
    let raw: Uint8Array
    try {
      raw = openBlock(stored, identity, offset, MAX_BLOCK_BYTES, name)
    } catch (error) {
      if (!isFirnError(error, 'FIRN_CORRUPTION')) throw error
      const again = await this.source.read(offset, stored.length, { signal, fresh: true })
      if (again.length !== stored.length) throw error
      raw = openBlock(again, identity, offset, MAX_BLOCK_BYTES, name)
    }
    return decode(raw, where)
  }
}
