import type { Env } from '@firn/env'
import { RECORDS_WRITER_SLACK } from '@firn/manifest'
import { ReadOnlyError } from '../../errors.js'
import type { Commit } from '../../write-options.js'
import type { Committer } from '../commit/committer.js'
import type { FileWriter } from '../files/file-writer.js'
import type { TableIdentity } from '../view/table-identity.js'
import type { VersionSet } from '../view/version-set.js'
import { BatchGroups } from './batch-groups.js'
import { BatchRuns } from './batch-runs.js'
import type { EncodedRecords } from './encoded-records.js'

/** A new batch gets no more memory than this, however large the last one was. */
const MAX_BATCH_BUFFER_BYTES = 1024 * 1024

/** A batch that grows past this many bytes goes on in another buffer. */
const PART_BYTES = 1024 * 1024

/** Batches that come at once are written together up to about so many bytes: some 40 ms of work. */
const BATCH_GROUP_BYTES = 4 * 1024 * 1024

const NO_LIMITS = { partBytes: Number.POSITIVE_INFINITY, runBytes: Number.POSITIVE_INFINITY }

/** What only a database that is open for writing has. */
export interface WritableParts {
  readonly committer: Committer
  readonly files: FileWriter
  readonly inlineLimitBytes: number
  /** Bytes of a batch's records that are written to files as one run. */
  readonly runBytes: number
}

export interface WriteContextOptions {
  readonly env: Env
  readonly versions: VersionSet
  /** `undefined` if the database is open for reading. */
  readonly writable: WritableParts | undefined
  /** Throws `ClosedError` after the database's `close`. */
  readonly assertOpen: () => void
}

/** What writes and batches need of their database. */
export class WriteContext {
  readonly #options: WriteContextOptions
  /** Size of the last batch: the next one is likely to need as much. */
  #batchBytes = 1024
  /** Large batches that are being written. */
  readonly #runs: Set<BatchRuns> = new Set()
  readonly #groups: BatchGroups

  constructor(options: WriteContextOptions) {
    this.#options = options
    const { env, versions } = options
    this.#groups = new BatchGroups({
      env,
      startRuns: (bytes) => this.startRuns(bytes),
      state: () => versions.state,
      groupBytes: Math.min(this.batchLimits.runBytes, BATCH_GROUP_BYTES),
    })
  }

  /** The committer. Throws `ReadOnlyError` if nothing can be written. */
  writer(): Committer {
    return this.#writable('write').committer
  }

  get inlineLimitBytes(): number {
    return this.#writable('batch').inlineLimitBytes
  }

  /**
   * How many bytes of a batch are in one buffer, and how many make a run; infinite for a reader.
   */
  get batchLimits(): { partBytes: number; runBytes: number } {
    const { writable } = this.#options
    if (writable === undefined) return NO_LIMITS
    const { inlineLimitBytes, runBytes } = writable
    // What fits an entry of the log is neither cut nor written to files.
    const least = Math.max(runBytes, inlineLimitBytes)
    return { partBytes: Math.min(least, Math.max(inlineLimitBytes, PART_BYTES)), runBytes: least }
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
  startRuns(runBytes: number = this.batchLimits.runBytes): BatchRuns {
    const { committer, files } = this.#writable('write')
    const runs = new BatchRuns({ env: this.#options.env, committer, files, runBytes })
    this.#runs.add(runs)
    void runs.ended.then(() => this.#runs.delete(runs))
    return runs
  }

  /**
   * Commits a batch that fits no entry of the log, together with others that come while it waits.
   */
  commitInGroup(
    records: EncodedRecords,
    bytes: number,
    signal: AbortSignal | undefined,
  ): Promise<Commit> {
    return this.#groups.commit(records, bytes, signal)
  }

  /** Refuses batches that wait for others. Returns the large ones that are being written. */
  stop(reason: Error): BatchRuns[] {
    const runs = [...this.#runs]
    this.#groups.stop(reason)
    return runs
  }

  #writable(what: string): WritableParts {
    this.#options.assertOpen()
    const { writable } = this.#options
    if (writable === undefined) throw new ReadOnlyError(what)
    return writable
  }
}
