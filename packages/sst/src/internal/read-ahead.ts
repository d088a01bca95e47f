import type { Pause } from '../pause.js'
import type { DataBlock } from './block.js'
import type { BlockFile } from './block-file.js'
import type { IndexBlock } from './index-block.js'

// By default one block at first, then twice as much each time: who reads a few rows pays for them,
// who reads on gets long reads.
const ADAPTIVE_FROM_BYTES: number = 16 * 1024
const ADAPTIVE_TO_BYTES: number = 256 * 1024

/** Adjacent blocks of one index on their way by one read of the source. */
interface Run {
  readonly from: number
  readonly to: number
  readonly results: Promise<PromiseSettledResult<DataBlock>[]>
}

export interface ReadAheadOptions {
  readonly reverse: boolean
  readonly fill: boolean
  /** Stored bytes of a read; undefined adapts. */
  readonly bytes: number | undefined
  readonly signal: AbortSignal | undefined
  readonly pause: Pause | undefined
}

/**
 * Fetches blocks for a cursor. It holds on to those that are ahead, since the cache may be too small
 * for them or told not to fill, and while they are used up the read after them is under way: one
 * that is known to go on (told how far to read, or at its longest read already).
 */
export class ReadAhead {
  readonly #file: BlockFile
  readonly #options: ReadAheadOptions
  readonly #step: 1 | -1
  #bytes = 0
  #window: DataBlock[] = []
  #windowFirst = 0
  #next: Run | undefined

  constructor(file: BlockFile, options: ReadAheadOptions) {
    this.#file = file
    this.#options = options
    this.#step = options.reverse ? -1 : 1
  }

  /** The cursor goes somewhere else. */
  restart(): void {
    this.#bytes = this.#options.bytes ?? 0
    this.#next = undefined
  }

  /** Lets go of everything. */
  close(): void {
    this.#next = undefined
    this.#window = []
  }

  /** The block, if it is in memory. */
  resident(ordinal: number): DataBlock | undefined {
    return this.#window[ordinal - this.#windowFirst] ?? this.#file.blocks.peek(ordinal)
  }

  /** Makes the block of `index` resident until the next call; throws what hinders that. */
  async fetch(index: IndexBlock, ordinal: number): Promise<void> {
    let run = this.#next
    this.#next = undefined
    if (run === undefined || ordinal < run.from || ordinal > run.to) {
      run = this.#start(index, ordinal)
    }
    this.#adopt(run, ordinal, await run.results)
    const goesOn = this.#options.bytes !== undefined || this.#bytes === ADAPTIVE_TO_BYTES
    const after = this.#step > 0 ? run.to + 1 : run.from - 1
    const inIndex = after >= index.first && after < index.first + index.count
    if (goesOn && this.#bytes > 0 && inIndex && !this.#file.blocks.has(after)) {
      this.#next = this.#start(index, after)
      // Whoever comes to need it meets the error.
      this.#next.results.catch(() => {})
    }
  }

  /** Starts to read the block and those after it, in the cursor's direction, that fit the read. */
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
    return { from, to, results: this.#file.fetchRun(index, from, to, this.#options) }
  }

  /** Blocks from `ordinal` on are the window; one that failed ends it, and fails when met. */
  #adopt(run: Run, ordinal: number, results: PromiseSettledResult<DataBlock>[]): void {
    const wanted = ordinal - run.from
    let begin = wanted
    let end = wanted
    for (let i = wanted; i >= 0 && i < results.length; i += this.#step) {
      const result = results[i] as PromiseSettledResult<DataBlock>
      if (result.status === 'rejected') {
        if (i === wanted) throw result.reason
        break
      }
      if (this.#step > 0) end = i
      else begin = i
    }
    this.#window = results
      .slice(begin, end + 1)
      .map((result) => (result as PromiseFulfilledResult<DataBlock>).value)
    this.#windowFirst = run.from + begin
  }
}
