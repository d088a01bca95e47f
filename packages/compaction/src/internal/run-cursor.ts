import { ClosedError, isFirnError } from '@firn/env'
import type { FileMeta } from '@firn/manifest'
import { type CursorStatus, END, PENDING, POSITIONED, type RecordCursor } from '@firn/mvcc'
import { SstReader, type SstSource } from '@firn/sst'
import { wholeSource } from '@firn/sst/store'
import { DamagedInputError } from '../errors.js'

const EMPTY = new Uint8Array(0)

export interface RunCursorOptions {
  openSource: (file: FileMeta) => SstSource | Promise<SstSource>
  /** Most bytes of adjacent blocks fetched at a time. */
  readAheadBytes: number
}

/**
 * Reads the records of files that are in key order and don't overlap: forward, from the first one.
 * One file is open at a time; an error of damage names its file.
 */
export class RunCursor implements RecordCursor {
  readonly reverse = false
  readonly stable = false
  keyBytes: Uint8Array = EMPTY
  keyStart = 0
  keyEnd = 0
  timestamp = 0
  kind = 0
  valueBytes: Uint8Array = EMPTY
  valueStart = 0
  valueEnd = 0

  readonly #files: readonly FileMeta[]
  readonly #options: RunCursorOptions
  #index = 0
  #reader: SstReader | undefined
  #cursor: ReturnType<SstReader['cursor']> | undefined
  /** Ends reads under way when the cursor is closed: of several concurrent loads, one may fail. */
  readonly #reading: AbortController = new AbortController()

  constructor(files: readonly FileMeta[], options: RunCursorOptions) {
    this.#files = files
    this.#options = options
  }

  first(): CursorStatus {
    this.#leave()
    this.#index = 0
    return this.#files.length === 0 ? END : PENDING
  }

  seek(): CursorStatus {
    throw new Error('a compaction reads its inputs from their start')
  }

  next(): CursorStatus {
    const cursor = this.#cursor
    if (cursor === undefined) return END
    const status = cursor.next()
    if (status === POSITIONED) return this.#take(cursor)
    return status === PENDING ? PENDING : this.#nextFile()
  }

  async load(): Promise<CursorStatus> {
    for (;;) {
      const file = this.#files[this.#index]
      if (file === undefined || this.#reading.signal.aborted) return END
      const cursor = this.#cursor
      let status: CursorStatus
      try {
        status = cursor === undefined ? await this.#open(file) : await cursor.load()
      } catch (error) {
        if (!isFirnError(error, 'FIRN_CORRUPTION')) throw error
        throw new DamagedInputError(
          file.id,
          `compaction can't read SST ${file.id} of L${file.level} and leaves it alone: ${error.message}`,
          { cause: error },
        )
      }
      if (status === POSITIONED) return this.#take(this.#cursor as NonNullable<typeof cursor>)
      if (status === END && this.#nextFile() === END) return END
    }
  }

  close(): void {
    this.#reading.abort(new ClosedError('the compaction has ended'))
    this.#leave()
  }

  async #open(file: FileMeta): Promise<CursorStatus> {
    const { openSource, readAheadBytes } = this.#options
    const source = await openSource(file)
    const isSmall = file.bytes <= readAheadBytes
    const { signal } = this.#reading
    const reader = await SstReader.open(isSmall ? wholeSource(source, file.bytes) : source, {
      fileId: file.id,
      size: file.bytes,
      tailBytes: file.tailBytes,
      signal,
      ...(file.commitFile ? { timestamp: file.minTimestamp } : {}),
    })
    if (signal.aborted) {
      await reader.close()
      return END
    }
    this.#reader = reader
    this.#cursor = reader.cursor({ private: false, fill: false, readAheadBytes, signal })
    return this.#cursor.first()
  }

  /** Opening a file waits for I/O. */
  #nextFile(): CursorStatus {
    this.#leave()
    this.#index++
    return this.#index < this.#files.length ? PENDING : END
  }

  #leave(): void {
    this.#cursor?.close()
    this.#cursor = undefined
    // Not awaited: a handle that is slow to close must not delay the merge.
    void Promise.resolve(this.#reader?.close()).catch(() => {})
    this.#reader = undefined
  }

  #take(cursor: RecordCursor): CursorStatus {
    this.keyBytes = cursor.keyBytes
    this.keyStart = cursor.keyStart
    this.keyEnd = cursor.keyEnd
    this.timestamp = cursor.timestamp
    this.kind = cursor.kind
    this.valueBytes = cursor.valueBytes
    this.valueStart = cursor.valueStart
    this.valueEnd = cursor.valueEnd
    return POSITIONED
  }
}
