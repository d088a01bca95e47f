import { type Env, systemEnv, waitFor } from '@firn/env'
import { DROP, END, KEEP, PENDING, POSITIONED, type RecordCursor } from '@firn/mvcc'
import type { Upload } from '@firn/object-store'
import type { Compression } from './internal/codec.js'
import { FileOutput } from './internal/file-output.js'
import { PreviousKey } from './internal/previous-key.js'
import type { StatisticsCollector } from './statistics.js'
import type { SstSummary } from './summary.js'
import type { VersionFilter } from './version-filter.js'

export interface WriteFilesOptions {
  env?: Env | undefined
  /** Whether each record has its own timestamp, or a commit's entry will give them all one. */
  timestamps: 'record' | 'file'
  /** A file that has reached this size ends before the next key. */
  targetFileBytes: number
  /** Ends files between tables. */
  splitTables: boolean
  /** A fresh id, never used before. */
  newFileId: () => string
  /** Starts the object of a file. */
  upload: (id: string) => Promise<Upload>
  /** How a file of a table is written; for one with several tables, the first one's are asked. */
  tableOptions: (tableId: number) => FileOptions
  blockBytes?: number | undefined
  filterBitsPerKey?: number | undefined
  /** Which versions to write. Default: all. */
  filter?: VersionFilter | undefined
  /** Deletes files that were whole when a later one failed. */
  discard?: ((ids: readonly string[]) => Promise<void>) | undefined
  /** Called now and then, with totals. */
  onProgress?: ((progress: { recordsRead: number; bytesWritten: number }) => void) | undefined
  /** Milliseconds of work after which other tasks get a turn. Default 4. */
  yieldAfterMs?: number | undefined
  signal?: AbortSignal | undefined
}

export interface FileOptions {
  compression: Compression
  /**
   * A new collector per file, by name. They see the table's own keys. Not asked for where a file
   * may hold several tables.
   */
  statistics?: Readonly<Record<string, () => StatisticsCollector>> | undefined
}

/** Records between looks at the clock. */
const BATCH_RECORDS = 256

/**
 * Writes all records of a cursor, from its first, to SSTs of about the target size, and returns
 * them in key order, whole and durable in the store. No key is split across two files, so they can
 * be files of one level. Takes the cursor over and closes it.
 *
 * On any error (the cursor's, the store's, the signal's reason) nothing stays: uploads are aborted,
 * files that were whole are discarded, and the error is thrown.
 */
export async function writeFiles(
  cursor: RecordCursor,
  options: WriteFilesOptions,
): Promise<SstSummary[]> {
  return new FilesWriter(cursor, options).run()
}

class FilesWriter {
  readonly #cursor: RecordCursor
  readonly #options: WriteFilesOptions
  readonly #output: FileOutput
  /** The key that the last record had. */
  readonly #key = new PreviousKey()
  /** Timestamp of a delete of that key which is written only if an older version is; or -1. */
  #deferred = -1
  #recordsRead = 0

  constructor(cursor: RecordCursor, options: WriteFilesOptions) {
    this.#cursor = cursor
    this.#options = options
    this.#output = new FileOutput(options)
  }

  async run(): Promise<SstSummary[]> {
    const { env = systemEnv, signal, onProgress, yieldAfterMs = 4 } = this.#options
    const output = this.#output
    try {
      signal?.throwIfAborted()
      let since = env.monotonic()
      let status = this.#cursor.first()
      while (status !== END) {
        if (status === PENDING) {
          // The reads themselves get no signal: a merge of many files would put as many listeners
          // on it. What they return after an abort is thrown away.
          status = await waitFor(this.#cursor.load(), signal)
          continue
        }
        status = this.#writeSome()
        if (output.waits) {
          await output.flush()
          onProgress?.({ recordsRead: this.#recordsRead, bytesWritten: output.bytesWritten })
        }
        if (env.monotonic() - since < yieldAfterMs) continue
        await env.yield()
        signal?.throwIfAborted()
        since = env.monotonic()
      }
      const files = await output.finish()
      onProgress?.({ recordsRead: this.#recordsRead, bytesWritten: output.bytesWritten })
      return files
    } catch (error) {
      await output.abandon()
      throw error
    } finally {
      this.#cursor.close()
    }
  }

  /** The hot path: some records, up to where the cursor or the output needs I/O. */
  #writeSome(): typeof POSITIONED | typeof END | typeof PENDING {
    const cursor = this.#cursor
    const output = this.#output
    const key = this.#key
    const { filter, splitTables } = this.#options
    for (let i = 0; i < BATCH_RECORDS; i++) {
      this.#recordsRead++
      if (!key.holds(cursor)) {
        key.keep(cursor)
        this.#deferred = -1
        filter?.begin(cursor)
        if (!output.isEmpty && (output.isFull || (splitTables && key.tableChanged))) {
          output.cut()
        }
      }
      const decision = filter === undefined ? KEEP : filter.keep(cursor)
      if (decision === KEEP) {
        if (output.isEmpty) output.open(key.tableId)
        if (this.#deferred >= 0) this.#writeDeferred()
        output.append(
          cursor.keyBytes,
          cursor.keyStart,
          cursor.keyEnd,
          cursor.timestamp,
          cursor.kind,
          cursor.valueBytes,
          cursor.valueStart,
          cursor.valueEnd,
        )
      } else if (decision !== DROP) {
        // Of two deletes in a row the newer one is written: it is what readers meet.
        if (this.#deferred >= 0) {
          if (output.isEmpty) output.open(key.tableId)
          this.#writeDeferred()
        }
        this.#deferred = cursor.timestamp
      }
      const status = cursor.next()
      if (status !== POSITIONED) return status
      if (output.waits) return POSITIONED
    }
    return POSITIONED
  }

  #writeDeferred(): void {
    const { bytes, length } = this.#key
    this.#output.appendDelete(bytes, length, this.#deferred)
    this.#deferred = -1
    this.#options.filter?.reinstated?.()
  }
}
