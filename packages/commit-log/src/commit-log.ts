/**
 * A totally ordered log of entries numbered 1, 2, 3 … Entry N is created once, by a conditional
 * create, and never deleted; truncation replaces its payload with a tombstone. A database is a fold
 * over these entries.
 */
export interface CommitLog {
  /**
   * True if only this handle can append while it is open. Then the next version is known before it
   * is durable, and appends may be pipelined: called in version order without waiting, they become
   * durable in that order.
   */
  readonly exclusive: boolean
  /** The largest payload, in bytes, that should travel inside an entry. */
  readonly inlineLimitBytes: number
  /**
   * Reads the entries after a version, in order and without gaps, up to the log's end at some
   * moment after the call (strongly consistent). Throws `CorruptionError` for a gap or a damaged
   * entry.
   */
  readAfter(version: number, options?: ReadLogOptions): AsyncIterable<LogEntry>
  /**
   * Creates entry `entry.version`, the successor of an entry that the caller has read or appended.
   * Resolves when it is durable, or with the entry that was there first. That winner may be the
   * caller's own (same token) if a request was delivered twice. Throws `AmbiguousAppendError` if it
   * can't be known whether the entry was created.
   */
  append(entry: NewLogEntry, options?: LogCallOptions): Promise<AppendResult>
  /**
   * Makes durable everything appended lazily before the call. Absent if the log has no lazy
   * appends.
   */
  sync?(): Promise<void>
  /**
   * Bytes of appended payload that are only in this process's memory, and are lost when it ends.
   * Absent if the log has no lazy appends.
   */
  readonly pendingBytes?: number
  /**
   * Writes everything that was appended and isn't written yet, lazy entries above all, blocking the
   * thread; also syncs what is written if `durable`. For the end of a process that waits for no
   * append: callers still waiting for one don't learn its outcome. Never throws. Absent if the log
   * has no lazy appends.
   */
  writeOut?(options: { durable: boolean }): void
  /** Replaces the payloads of all entries up to and including `through` with tombstones. */
  truncate(through: number, options?: TruncateOptions): Promise<void>
  /** Waits for appends under way, then releases locks and handles. Idempotent. */
  close(): Promise<void>
}

export interface LogCallOptions {
  signal?: AbortSignal | undefined
}

export interface TruncateOptions extends LogCallOptions {
  /**
   * A hint: the caller wants the space and doesn't depend on the tombstones. Entries with small
   * payloads may keep them until a later call.
   */
  lazy?: boolean
}

export interface ReadLogOptions extends LogCallOptions {
  /** At most this many entries. */
  limit?: number | undefined
  /** Goes ahead of other waiting requests, as appends do. For a read that commits wait for. */
  urgent?: boolean | undefined
}

export interface NewLogEntry {
  /** A positive safe integer. */
  version: number
  /** Microseconds since the epoch, greater than the timestamp of every earlier entry. */
  timestamp: number
  /** A ULID, fresh per commit attempt. */
  token: string
  /** Owned by the log until the append settles. Empty payloads are allowed. */
  payload: Uint8Array
  /**
   * A hint: earlier entries will soon be truncated, this one and later ones will not. A log that
   * keeps entries in files begins a new file here, so that the old one can be removed as a whole.
   */
  startsSegment?: boolean
  /**
   * A hint: the append may resolve before the entry is durable. If nothing is in its way, the call
   * itself hands the entry to the operating system, so that it outlives the process. The entry
   * becomes durable with the next one that isn't lazy, by `sync`, or at `close`; if the machine
   * crashes before that, lazy entries may be lost, from the end backwards. A log that can't sync
   * later ignores this hint.
   */
  lazy?: boolean
}

export interface LogEntry {
  version: number
  timestamp: number
  token: string
  /** `undefined` in a tombstone. Read only; may share memory with other entries. */
  payload: Uint8Array | undefined
}

export type AppendResult = { appended: true } | { appended: false; winner: LogEntry }
