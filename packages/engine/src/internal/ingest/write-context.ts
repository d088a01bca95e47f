import type { Env } from '@firn/env'
import { RECORDS_WRITER_SLACK } from '@firn/manifest'
import { ReadOnlyError } from '../../errors.js'
import type { Commit } from '../../write-options.js'
import type { Committer } from '../commit/committer.js'
import type { FileWriter } from '../files/file-writer.js'
import type { TableIdentity } from '../view/table-identity.js'
import type { VersionSet } from '../view/version-set.js'
import type { EncodedRecords } from './encoded-records.js'
import { IngestQueue } from './ingest-queue.js'
import { Ingestion } from './ingestion.js'

/** A new batch gets no more memory than this, however large the last one was. */
const MAX_BATCH_BUFFER_BYTES = 1024 * 1024

/** A batch that grows past this many bytes continues in another buffer. */
const PART_BYTES = 1024 * 1024

/**
 * Batches that arrive together are written together, up to about this many bytes: some 40 ms of
 * work.
 */
const BATCH_GROUP_BYTES = 4 * 1024 * 1024

const NO_LIMITS = {
  partBytes: Number.POSITIVE_INFINITY,
  ingestChunkBytes: Number.POSITIVE_INFINITY,
}

/** Parts that only a database open for writing has. */
export interface WritableParts {
  readonly committer: Committer
  readonly files: FileWriter
  readonly inlineLimitBytes: number
  /** Bytes of a batch's records that are written to files as one run. */
  readonly ingestChunkBytes: number
}

export interface WriteContextOptions {
  readonly env: Env
  readonly versions: VersionSet
  /** `undefined` if the database is open for reading. */
  readonly writable: WritableParts | undefined
  /** Throws `ClosedError` after the database's `close`. */
  readonly assertOpen: () => void
}

/** The part of a database that writes and batches need. */
export class WriteContext {
  readonly #options: WriteContextOptions
  /** Size of the last batch; the next one is likely to need as much. */
  #batchBytes = 1024
  /** Large batches that are being written. */
  readonly #ingestions: Set<Ingestion> = new Set()
  readonly #queue: IngestQueue

  constructor(options: WriteContextOptions) {
    this.#options = options
    const { env, versions } = options
    this.#queue = new IngestQueue({
      env,
      startIngestion: (bytes) => this.startIngestion(bytes),
      state: () => versions.state,
      groupBytes: Math.min(this.batchLimits.ingestChunkBytes, BATCH_GROUP_BYTES),
    })
  }

  /** The committer. Throws `ReadOnlyError` if nothing can be written. */
  writer(): Committer {
    return this.#writable('write').committer
  }

  get inlineLimitBytes(): number {
    return this.#writable('batch').inlineLimitBytes
  }

  /** How many bytes of a batch one buffer holds, and how many make a run; infinite for a reader. */
  get batchLimits(): { partBytes: number; ingestChunkBytes: number } {
    const { writable } = this.#options
    if (writable === undefined) return NO_LIMITS
    const { inlineLimitBytes, ingestChunkBytes } = writable
    // A batch that fits a log entry is neither cut nor written to files.
    const least = Math.max(ingestChunkBytes, inlineLimitBytes)
    return {
      partBytes: Math.min(least, Math.max(inlineLimitBytes, PART_BYTES)),
      ingestChunkBytes: least,
    }
  }

  /** The id of a table; `undefined` if the table doesn't exist. */
  tableId(table: TableIdentity): number | undefined {
    return table.idIn(this.#options.versions.state)
  }

  newestCommit(): Commit {
    const { visibleVersion, visibleTimestamp } = this.#options.versions
    return { version: visibleVersion, timestamp: visibleTimestamp }
  }

  /** Memory for the payload of a batch like the last one. */
  payloadBuffer(): Uint8Array {
    // A sixteenth more, as batches differ.
    const bytes = this.#batchBytes + (this.#batchBytes >>> 4) + RECORDS_WRITER_SLACK
    return this.#options.writable?.committer.buffers.take(bytes) ?? new Uint8Array(bytes)
  }

  /** Notes the size of a batch, for the next one. */
  noteBatch(bytes: number): void {
    this.#batchBytes = Math.min(bytes, MAX_BATCH_BUFFER_BYTES)
  }

  /** Begins a commit of whole SSTs: neither a log entry nor memory bounds its size. */
  startIngestion(ingestChunkBytes: number = this.batchLimits.ingestChunkBytes): Ingestion {
    const { committer, files } = this.#writable('write')
    const ingestion = new Ingestion({ env: this.#options.env, committer, files, ingestChunkBytes })
    this.#ingestions.add(ingestion)
    void ingestion.ended.then(() => this.#ingestions.delete(ingestion))
    return ingestion
  }

  /**
   * Commits a batch that is too large for a log entry, together with others that arrive while it
   * waits.
   */
  commitInGroup(
    records: EncodedRecords,
    bytes: number,
    signal: AbortSignal | undefined,
  ): Promise<Commit> {
    return this.#queue.commit(records, bytes, signal)
  }

  /** Refuses batches that wait for others. Returns the ingestions under way. */
  stop(reason: Error): Ingestion[] {
    const ingestions = [...this.#ingestions]
    this.#queue.stop(reason)
    return ingestions
  }

  #writable(what: string): WritableParts {
    this.#options.assertOpen()
    const { writable } = this.#options
    if (writable === undefined) throw new ReadOnlyError(what)
    return writable
  }
}
