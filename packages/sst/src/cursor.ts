import { copyBytes, keepFromTransfer } from '@firn/bytes'
import { ClosedError } from '@firn/env'
import { type CursorStatus, END, PENDING, POSITIONED, type RecordCursor } from '@firn/mvcc'
import { type DataBlock, HEADS } from './internal/block.js'
import type { BlockFile } from './internal/block-file.js'
import { BLOCK_HEADER_BYTES } from './internal/block-layout.js'
import type { IndexBlock } from './internal/index-block.js'
import { ReadAhead } from './internal/read-ahead.js'
import type { Pause } from './pause.js'

export interface SstCursorOptions {
  /** Goes backwards: largest key first, and oldest version of a key first. */
  reverse?: boolean | undefined
  /** Whether to put blocks into the cache. False for a compaction or a big scan. Default true. */
  fill?: boolean | undefined
  /**
   * Stored bytes of adjacent blocks to fetch in one read; 0 reads block by block. The next such
   * read is under way while the cursor passes through the blocks of this one. By default the first
   * read is one block, and later reads double in size up to 256 KiB.
   */
  readAheadBytes?: number | undefined
  /**
   * How many rows the caller expects to read after a seek; the cursor prepares that many at once.
   * By default it prepares 16, then larger and larger batches.
   */
  expectedRows?: number | undefined
  /**
   * True (default): keys and values are in memory that nothing else uses and no later move touches,
   * so views of it may be handed out. False: keys and values are valid until the next move.
   */
  private?: boolean | undefined
  signal?: AbortSignal | undefined
  /** Called before each block of a long read is decoded. Default: never pauses. */
  pause?: Pause | undefined
}

// Rows to prepare after a seek if the caller doesn't say how many it expects; later batches are
// four times as large. A scan of a few rows then doesn't pay for a whole block.
const FIRST_ROWS = 16
// Rows to prepare after the expected ones: few are likely to be left.
const MORE_ROWS = 8
const ALL_ROWS = 65_536
const SLAB_BYTES: number = 32 * 1024
/** Bytes that the prefixes in the rows of one batch take together, roughly. */
const MOST_PREFIX_BYTES: number = 1024 * 1024

// Rows of the next short scan go here, of whichever file.
let sharedSlab = new Uint8Array(0)
let sharedUsed = 0

const NO_BYTES = new Uint8Array(0)
const NO_TABLE = new Int32Array(2)

const FIRST = 1
const SEEK = 2
const STEP = 3

/**
 * A cursor over the records of one file, in internal order or its reverse.
 *
 * Rows are prepared in batches: the keys of a batch are written in full, prefix included, to one
 * slab, followed by a copy of the values if the cursor is private. A move within a batch sets
 * fields from typed arrays.
 */
export class SstCursor implements RecordCursor {
  readonly reverse: boolean
  /** Whether views of the fields' arrays may be kept. */
  readonly stable: boolean
  keyBytes: Uint8Array = NO_BYTES
  keyStart = 0
  keyEnd = 0
  timestamp = 0
  kind = 0
  valueBytes: Uint8Array = NO_BYTES
  valueStart = 0
  valueEnd = 0

  readonly #file: BlockFile
  readonly #ahead: ReadAhead
  readonly #fill: boolean
  readonly #signal: AbortSignal | undefined
  readonly #step: 1 | -1
  readonly #expectedRows: number | undefined
  #slab: Uint8Array = NO_BYTES
  #slabUsed = 0

  // The cursor is on `#row` of `#block`, whose ordinal in the file is `#ordinal`.
  #block: DataBlock | undefined
  #ordinal = -1
  #row = 0
  // The row after the last one of the batch, in the cursor's direction.
  #limit = 0
  #batch = ALL_ROWS
  // Expected rows that aren't prepared yet, because the block ended before.
  #expected = 0
  // Fields of the block for the hot path: its table, the start of key and value offsets in it, and
  // the shifts from offsets in the block to offsets in the slab.
  #table: Int32Array = NO_TABLE
  #keysAt = 0
  #valuesAt = 0
  #prefixLength = 0
  #keyShift = 0
  #valueShift = 0
  // Start of the timestamps in the table; -1 if all rows have the same timestamp.
  #timestampsAt = -1
  // Start of the kinds in the block; -1 if all rows have the same kind.
  #kindsAt = -1

  // The partition of the index that holds `#ordinal`.
  #index: IndexBlock | undefined
  #partition = -1

  // The move under way, and what it waits for: a partition, or a block of `#index`.
  #move = 0
  #target = 0
  #seekBytes: Uint8Array = NO_BYTES
  #seekStart = 0
  #seekEnd = 0
  #seekInclusive = false
  #neededPartition = -1
  #neededBlock = -1
  #fetched: IndexBlock | undefined
  #fetchedPartition = -1
  #status: CursorStatus = END
  #closed = false

  /** @internal Created by `SstReader.cursor`. */
  constructor(file: BlockFile, options: SstCursorOptions) {
    this.#file = file
    this.reverse = options.reverse ?? false
    this.stable = options.private ?? true
    this.#fill = options.fill ?? true
    this.#signal = options.signal
    this.#step = this.reverse ? -1 : 1
    this.#expectedRows = options.expectedRows
    this.#ahead = new ReadAhead(file, {
      reverse: this.reverse,
      fill: this.#fill,
      bytes: options.readAheadBytes,
      signal: options.signal,
      pause: options.pause,
    })
    this.#leaveBlock()
  }

  /** Moves to the first record in the cursor's direction. */
  first(): CursorStatus {
    this.#begin(FIRST, ALL_ROWS)
    return this.#attempt()
  }

  /**
   * Moves to a key. Forward: to the first record with a key ≥ `bytes[start, end)`, or > if not
   * inclusive. Reverse: to the last record, in internal order, with a key ≤ it, or < if not
   * inclusive.
   */
  seek(bytes: Uint8Array, start: number, end: number, inclusive: boolean): CursorStatus {
    this.#begin(SEEK, this.#expectedRows === undefined ? FIRST_ROWS : MORE_ROWS)
    this.#expected = this.#expectedRows ?? 0
    this.#seekBytes = bytes
    this.#seekStart = start
    this.#seekEnd = end
    this.#seekInclusive = inclusive
    const status = this.#attempt()
    if (status === PENDING) {
      // The caller may reuse its array before the move is complete.
      this.#seekBytes = copyBytes(bytes, start, end)
      this.#seekStart = 0
      this.#seekEnd = end - start
    }
    return status
  }

  /** Moves to the next record in the cursor's direction. */
  next(): CursorStatus {
    const row = this.#row + this.#step
    if (row === this.#limit) return this.#turn(row)
    this.#row = row
    // `as number`: the block was validated when it was decoded, the row is one of its rows.
    const table = this.#table
    const keyAt = this.#keysAt + row
    const keyBase = this.#keyShift + row * this.#prefixLength
    this.keyStart = keyBase + (table[keyAt] as number)
    this.keyEnd = keyBase + this.#prefixLength + (table[keyAt + 1] as number)
    const valueAt = this.#valuesAt + row
    this.valueStart = this.#valueShift + (table[valueAt] as number)
    this.valueEnd = this.#valueShift + (table[valueAt + 1] as number)
    if (this.#timestampsAt >= 0) {
      const at = this.#timestampsAt + 2 * row
      this.timestamp = (table[at + 1] as number) * 2 ** 32 + ((table[at] as number) >>> 0)
    }
    if (this.#kindsAt >= 0) {
      this.kind = (this.#block as DataBlock).bytes[this.#kindsAt + row] as number
    }
    return POSITIONED
  }

  /**
   * Completes the move that returned `PENDING`. Throws `CorruptionError`, the source's errors, or
   * the signal's reason; `load` can then be called again.
   */
  async load(): Promise<CursorStatus> {
    while (this.#status === PENDING) {
      this.#signal?.throwIfAborted()
      if (this.#neededPartition >= 0) {
        const partition = this.#neededPartition
        const options = { fill: this.#fill, signal: this.#signal }
        const index = await this.#file.fetchPartition(partition, options)
        this.#fetched = index
        this.#fetchedPartition = partition
      } else {
        // A block is needed only after its index was found.
        await this.#ahead.fetch(this.#index as IndexBlock, this.#neededBlock)
      }
      if (this.#closed) return END
      this.#attempt()
    }
    return this.#status
  }

  /** Releases everything. Idempotent; moves after it throw `ClosedError`. */
  close(): void {
    this.#closed = true
    this.#leaveBlock()
    this.#ahead.close()
    this.#index = undefined
    this.#fetched = undefined
    this.#slab = NO_BYTES
    this.#status = END
  }

  #begin(move: number, batch: number): void {
    if (this.#closed || this.#file.closed) this.#refuse()
    this.#move = move
    this.#batch = batch
    this.#expected = 0
    this.#ahead.restart()
    this.#leaveBlock()
  }

  #refuse(): void {
    this.#file.assertOpen()
    throw new ClosedError(`SST ${this.#file.identity.fileId}: the cursor is closed`)
  }

  /** Tries the move under way with the blocks in memory. */
  #attempt(): CursorStatus {
    this.#neededPartition = -1
    this.#neededBlock = -1
    if (this.#file.blockCount === 0) {
      this.#leaveBlock()
      this.#status = END
    } else if (this.#move === SEEK) this.#status = this.#attemptSeek()
    else {
      if (this.#move === FIRST) this.#target = this.reverse ? this.#file.blockCount - 1 : 0
      this.#status = this.#enter(this.#target)
    }
    return this.#status
  }

  #attemptSeek(): CursorStatus {
    const file = this.#file
    const bytes = this.#seekBytes
    const start = this.#seekStart
    const end = this.#seekEnd
    // The boundary is before all versions of the key, or after all of them.
    const after = this.#seekInclusive === this.reverse
    const timestamp = after ? -1 : Number.POSITIVE_INFINITY
    if (file.partitions !== undefined) {
      const partition = file.index.search(bytes, start, end, timestamp)
      if (!this.#usePartition(partition)) return PENDING
    } else this.#index = file.index
    const index = this.#index as IndexBlock
    const ordinal = index.first + index.search(bytes, start, end, timestamp)
    const block = this.#ahead.resident(ordinal)
    if (block === undefined) return this.#lack(ordinal)
    const place = block.search(bytes, start, end)
    let row = place < 0 ? ~place : place
    if (after && place < 0) {
      const equal = row
      do row++
      while (row < block.rows && block.duplicates && block.sameKey(row, equal))
    }
    if (this.reverse) row--
    if (row < 0 || row === block.rows) {
      this.#move = STEP
      this.#target = ordinal + this.#step
      return this.#enter(this.#target)
    }
    return this.#stand(block, ordinal, row)
  }

  /** Moves to the first row, in the cursor's direction, of a block; END if no such block exists. */
  #enter(ordinal: number): CursorStatus {
    const file = this.#file
    if (ordinal < 0 || ordinal >= file.blockCount) {
      this.#leaveBlock()
      return END
    }
    if (file.partitions === undefined) this.#index = file.index
    else {
      const index = this.#index
      let partition = this.#partition
      if (this.#move === FIRST) partition = this.reverse ? file.partitionCount - 1 : 0
      else if (index !== undefined && ordinal < index.first) partition--
      else if (index !== undefined && ordinal >= index.first + index.count) partition++
      if (!this.#usePartition(partition)) return PENDING
    }
    const block = this.#ahead.resident(ordinal)
    if (block === undefined) return this.#lack(ordinal)
    return this.#stand(block, ordinal, this.reverse ? block.rows - 1 : 0)
  }

  #usePartition(partition: number): boolean {
    if (partition === this.#partition && this.#index !== undefined) return true
    const index =
      partition === this.#fetchedPartition ? this.#fetched : this.#file.peekPartition(partition)
    if (index === undefined) {
      this.#neededPartition = partition
      return false
    }
    this.#index = index
    this.#partition = partition
    this.#fetched = undefined
    this.#fetchedPartition = -1
    return true
  }

  #lack(ordinal: number): CursorStatus {
    this.#neededBlock = ordinal
    return PENDING
  }

  /** Goes on after the end of a batch: with the next batch of the block, or with the next block. */
  #turn(row: number): CursorStatus {
    if (this.#closed || this.#file.closed) this.#refuse()
    const block = this.#block
    if (block === undefined) return this.#status
    if (row >= 0 && row < block.rows) {
      this.#prepare(block, row)
      return POSITIONED
    }
    this.#move = STEP
    this.#target = this.#ordinal + this.#step
    if (this.#expectedRows === undefined) this.#batch = ALL_ROWS
    return this.#attempt()
  }

  #stand(block: DataBlock, ordinal: number, row: number): CursorStatus {
    this.#block = block
    this.#ordinal = ordinal
    const { rows } = block
    this.#table = block.table
    this.#keysAt = HEADS + rows
    this.#valuesAt = HEADS + 2 * rows + 1
    this.#prefixLength = block.prefixLength
    this.#timestampsAt = block.timestampsAt
    if (block.timestampsAt < 0) this.timestamp = block.timestampOf(row)
    this.#kindsAt = block.kind >= 0 ? -1 : block.kindsStart
    if (block.kind >= 0) this.kind = block.kind
    this.#prepare(block, row)
    return POSITIONED
  }

  /** Prepares the batch that begins at `row`, and moves to that row. */
  #prepare(block: DataBlock, row: number): void {
    const { rows, bytes, table, prefixLength } = block
    const expected = this.#expected
    // The slab holds the prefix once for each row, and the prefix may be far longer than the rest.
    const most = prefixLength === 0 ? ALL_ROWS : Math.ceil(MOST_PREFIX_BYTES / prefixLength)
    const count = Math.min(expected > 0 ? expected : this.#batch, most)
    let from = row
    let to = Math.min(row + count, rows)
    this.#limit = to
    if (this.reverse) {
      to = row + 1
      from = to > count ? to - count : 0
      this.#limit = from - 1
    }
    if (expected > 0) this.#expected = expected - (to - from)
    else if (count < ALL_ROWS) this.#batch = count * 4
    // `as number` in this method: rows and offsets were validated when the block was decoded.
    const keysAt = HEADS + rows
    const valuesAt = keysAt + rows + 1
    const keysFrom = table[keysAt + from] as number
    const keyBytes = (to - from) * prefixLength + (table[keysAt + to] as number) - keysFrom
    const valuesFrom = table[valuesAt + from] as number
    let slab: Uint8Array
    let out = 0
    if (this.stable) {
      const valuesTo = table[valuesAt + to] as number
      out = this.#takeSlab(keyBytes + valuesTo - valuesFrom)
      slab = this.#slab
      const valuesOut = out + keyBytes
      slab.set(bytes.subarray(valuesFrom, valuesTo), valuesOut)
      this.#valueShift = valuesOut - valuesFrom
      this.valueBytes = slab
    } else {
      if (keyBytes > this.#slab.length) this.#slab = new Uint8Array(keyBytes * 2)
      slab = this.#slab
      this.#valueShift = 0
      this.valueBytes = bytes
    }
    this.#keyShift = out - keysFrom - from * prefixLength
    let at = keysFrom
    const prefixEnd = BLOCK_HEADER_BYTES + prefixLength
    for (let i = keysAt + from + 1; i <= keysAt + to; i++) {
      for (let j = BLOCK_HEADER_BYTES; j < prefixEnd; j++) slab[out++] = bytes[j] as number
      const end = table[i] as number
      while (at < end) slab[out++] = bytes[at++] as number
    }
    this.keyBytes = slab
    // Let `next` set the fields.
    this.#row = row - this.#step
    this.next()
  }

  /** Reserves `length` unused bytes of `#slab`, and returns their offset. */
  #takeSlab(length: number): number {
    const at = this.#slabUsed
    if (this.#slab.length - at >= length) {
      this.#slabUsed = at + length
      return at
    }
    // A view that a caller keeps also keeps its slab in memory. So a long scan takes one slab for a
    // few blocks and no more; that halves the cost of one slab a block.
    if (this.#batch === ALL_ROWS) {
      this.#slab = newSlab(Math.max(length, SLAB_BYTES))
      this.#slabUsed = length
      return 0
    }
    // Short scans share slabs: a slab for each took a tenth of a seek's time.
    if (length > SLAB_BYTES / 4) {
      this.#slab = newSlab(length)
      this.#slabUsed = length
      return 0
    }
    if (sharedUsed + length > sharedSlab.length) {
      sharedSlab = newSlab(SLAB_BYTES)
      sharedUsed = 0
    }
    this.#slab = sharedSlab
    // The rest of the slab is for other cursors.
    this.#slabUsed = SLAB_BYTES
    const shared = sharedUsed
    sharedUsed += length
    return shared
  }

  #leaveBlock(): void {
    this.#block = undefined
    this.#row = 0
    this.#limit = this.#step
    this.#timestampsAt = -1
    this.#kindsAt = -1
  }
}

/** Memory that rows share. A transfer to another thread would empty all of them. */
function newSlab(bytes: number): Uint8Array<ArrayBuffer> {
  const slab = new Uint8Array(bytes)
  keepFromTransfer(slab.buffer)
  return slab
}
