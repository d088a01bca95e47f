import { copyBytes } from '@firn/bytes'
import { ClosedError, InvalidArgumentError } from '@firn/env'
import type {
  AppendResult,
  CommitLog,
  LogCallOptions,
  LogEntry,
  NewLogEntry,
  ReadLogOptions,
} from './commit-log.js'
import { assertLimit, assertNewEntry, assertVersion, outOfTurn } from './internal/entry-checks.js'

const DEFAULT_INLINE_LIMIT_BYTES = 1_048_576

/** The entries of a log. `MemoryCommitLog`s that get the same storage share one log. */
export class MemoryLogStorage {
  /** Entry N at index N - 1. */
  readonly entries: LogEntry[] = []
}

export interface MemoryCommitLogOptions {
  /** Shared with other handles, which makes the log not exclusive. Default: its own. */
  storage?: MemoryLogStorage
  /**
   * The caller's promise that no other handle appends meanwhile. Default: true unless `storage` is
   * given.
   */
  exclusive?: boolean
  /** Default 1 MiB. */
  inlineLimitBytes?: number
}

/** A log in this process's memory; it ends with the process. */
export class MemoryCommitLog implements CommitLog {
  readonly exclusive: boolean
  readonly inlineLimitBytes: number
  readonly #entries: LogEntry[]
  #closed = false

  constructor(options: MemoryCommitLogOptions = {}) {
    this.exclusive = options.exclusive ?? options.storage === undefined
    this.inlineLimitBytes = options.inlineLimitBytes ?? DEFAULT_INLINE_LIMIT_BYTES
    this.#entries = (options.storage ?? new MemoryLogStorage()).entries
  }

  async *readAfter(version: number, options: ReadLogOptions = {}): AsyncIterable<LogEntry> {
    this.#assertOpen()
    assertVersion(version)
    assertLimit(options.limit)
    const end = Math.min(this.#entries.length, version + (options.limit ?? Infinity))
    for (let i = version; i < end; i++) {
      options.signal?.throwIfAborted()
      yield this.#entries[i] as LogEntry
    }
  }

  async append(entry: NewLogEntry, options: LogCallOptions = {}): Promise<AppendResult> {
    this.#assertOpen()
    assertNewEntry(entry)
    options.signal?.throwIfAborted()
    const entries = this.#entries
    const { version, timestamp, token } = entry
    const winner = entries[version - 1]
    if (winner !== undefined) return { appended: false, winner }
    if (version > entries.length + 1) throw outOfTurn(version, entries.length)
    const last = entries.at(-1)
    if (last !== undefined && timestamp <= last.timestamp) {
      throw new InvalidArgumentError(
        `entry ${version} has timestamp ${timestamp}, not after ${last.timestamp} of the one before`,
      )
    }
    // A copy: the caller may reuse its array once the append settles.
    entries.push({ version, timestamp, token, payload: copyBytes(entry.payload) })
    return { appended: true }
  }

  async truncate(through: number, options: LogCallOptions = {}): Promise<void> {
    this.#assertOpen()
    assertVersion(through)
    options.signal?.throwIfAborted()
    const entries = this.#entries
    // From the newest down: all entries before a tombstone are tombstones.
    for (let i = Math.min(through, entries.length) - 1; i >= 0; i--) {
      const entry = entries[i] as LogEntry
      if (entry.payload === undefined) break
      entries[i] = { ...entry, payload: undefined }
    }
  }

  async close(): Promise<void> {
    this.#closed = true
  }

  #assertOpen(): void {
    if (this.#closed) throw new ClosedError('the commit log is closed')
  }
}
