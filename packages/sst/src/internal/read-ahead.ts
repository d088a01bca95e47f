import type { Pause } from '../pause.js'
import type { DataBlock } from './block.js'
import type { BlockFile } from './block-file.js'
import type { IndexBlock } from './index-block.js'

// By default the first read is one block, and later reads double: a short scan pays for few blocks,
// and a long one gets long reads.
const ADAPTIVE_FROM_BYTES: number = 16 * 1024
const ADAPTIVE_TO_BYTES: number = 256 * 1024

/** Adjacent blocks of one index that one read of the source is loading. */
interface Run {
  readonly from: number
  readonly to: number
  readonly blocks: Promise<ReadBlocks>
}

/** Adjacent blocks that were read. */
interface ReadBlocks {
  /** The block; `undefined` if it isn't among them or is damaged. */
  block(ordinal: number): DataBlock | undefined
  /** Throws the error that keeps the block from being among them. */
  assertHas(ordinal: number): Promise<void>
}

export interface ReadAheadOptions {
  readonly reverse: boolean
  /**
   * False: blocks stay in their stored form until the cursor reaches them, so that they take less
   * memory.
   */
  readonly fill: boolean
  /** Stored bytes of a read. Undefined: adapts. */
  readonly bytes: number | undefined
  readonly signal: AbortSignal | undefined
  readonly pause: Pause | undefined
}

/**
 * Fetches blocks for a cursor. Keeps the blocks ahead of it, since the cache may be too small for
 * them or isn't to be filled. While the cursor passes through them, the next read is under way, if
 * the scan is known to go on: its read size is given, or its reads are at their longest.
 */
export class ReadAhead {
  readonly #file: BlockFile
  readonly #options: ReadAheadOptions
  readonly #step: 1 | -1
  #bytes = 0
  #window: ReadBlocks | undefined
  #next: Run | undefined

  constructor(file: BlockFile, options: ReadAheadOptions) {
    this.#file = file
    this.#options = options
    this.#step = options.reverse ? -1 : 1
  }

  /** Starts over, because the cursor moves to another place. */
  restart(): void {
    this.#bytes = this.#options.bytes ?? 0
    this.#next = undefined
  }

  /** Releases all blocks. */
  close(): void {
    this.#next = undefined
    this.#window = undefined
  }

  /** The block, if it is in memory. */
  resident(ordinal: number): DataBlock | undefined {
    return this.#window?.block(ordinal) ?? this.#file.blocks.peek(ordinal)
  }

  /** Makes a block of `index` resident until the next call; throws the error that prevents it. */
  async fetch(index: IndexBlock, ordinal: number): Promise<void> {
    let run = this.#next
    this.#next = undefined
    if (run === undefined || ordinal < run.from || ordinal > run.to) {
      run = this.#start(index, ordinal)
    }
    this.#window = await run.blocks
    await this.#window.assertHas(ordinal)
    const goesOn = this.#options.bytes !== undefined || this.#bytes === ADAPTIVE_TO_BYTES
    const after = this.#step > 0 ? run.to + 1 : run.from - 1
    const inIndex = after >= index.first && after < index.first + index.count
    if (goesOn && this.#bytes > 0 && inIndex && !this.#file.blocks.has(after)) {
      this.#next = this.#start(index, after)
      // The call that needs these blocks gets the error.
      this.#next.blocks.catch(() => {})
    }
  }

  /** Starts to read the block and as many after it, in the cursor's direction, as fit the read. */
  #start(index: IndexBlock, ordinal: number): Run {
    const { first, count, offsets } = index
    // `as number`: ordinals stay within the index.
    const size = (child: number) =>
      (offsets[child - first + 1] as number) - (offsets[child - first] as number)
    let total = size(ordinal)
    let last = ordinal
    for (;;) {
      const more = last + this.#step
      if (more < first || more >= first + count || this.#file.blocks.has(more)) break
      total += size(more)
      if (total > this.#bytes) break
      last = more
    }
    if (this.#options.bytes === undefined) {
      const grown = Math.max(ADAPTIVE_FROM_BYTES, this.#bytes * 2)
      this.#bytes = Math.min(ADAPTIVE_TO_BYTES, grown)
    }
    const from = Math.min(ordinal, last)
    const to = Math.max(ordinal, last)
    return { from, to, blocks: this.#read(index, from, to) }
  }

  async #read(index: IndexBlock, from: number, to: number): Promise<ReadBlocks> {
    const file = this.#file
    const { fill, signal } = this.#options
    if (fill) return new DecodedBlocks(from, await file.fetchRun(index, from, to, this.#options))
    const bytes = await file.readStored(index, from, to, signal)
    return new StoredBlocks({ file, index, from, to, bytes, signal })
  }
}

class DecodedBlocks implements ReadBlocks {
  readonly #from: number
  readonly #results: readonly PromiseSettledResult<DataBlock>[]

  constructor(from: number, results: readonly PromiseSettledResult<DataBlock>[]) {
    this.#from = from
    this.#results = results
  }

  block(ordinal: number): DataBlock | undefined {
    const result = this.#results[ordinal - this.#from]
    return result?.status === 'fulfilled' ? result.value : undefined
  }

  async assertHas(ordinal: number): Promise<void> {
    const result = this.#results[ordinal - this.#from]
    if (result?.status === 'rejected') throw result.reason
  }
}

interface StoredRun {
  readonly file: BlockFile
  readonly index: IndexBlock
  readonly from: number
  readonly to: number
  readonly bytes: Uint8Array
  readonly signal: AbortSignal | undefined
}

class StoredBlocks implements ReadBlocks {
  readonly #run: StoredRun
  /** The last block that was decoded. */
  #block: DataBlock | undefined
  #ordinal = -1

  constructor(run: StoredRun) {
    this.#run = run
  }

  block(ordinal: number): DataBlock | undefined {
    if (ordinal === this.#ordinal) return this.#block
    const { file, index, from, to, bytes } = this.#run
    if (ordinal < from || ordinal > to) return undefined
    this.#ordinal = ordinal
    this.#block = file.tryDecode(index, ordinal, bytes, from)
    return this.#block
  }

  /** Reads a damaged block once more. */
  async assertHas(ordinal: number): Promise<void> {
    if (this.block(ordinal) !== undefined) return
    const { file, index, signal } = this.#run
    const block = await file.readBlock(index, ordinal, signal)
    this.#ordinal = ordinal
    this.#block = block
  }
}
