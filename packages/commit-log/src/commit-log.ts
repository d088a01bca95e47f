/**
 * A totally ordered log of entries numbered 1, 2, 3 … Entry N is created once, by a conditional
 * create, and never deleted; truncation replaces its payload with a tombstone. Everything a
 * database is, is a fold over these entries.
 */
export interface CommitLog {
  /**
   * True where this handle is the only one that can append while it is open: then the next version
   * is known before it is durable, and appends may be pipelined (called in version order without
   * waiting; they become durable in that order).
   */
  readonly exclusive: boolean
  /** Largest payload in bytes that should travel inside an entry. */
  readonly inlineLimitBytes: number
  /**
   * The entries after a version, in order and without gaps, up to the log's end at some moment
   * after the call (strongly consistent). Throws `CorruptionError` for a gap or a damaged entry.
   */
  readAfter(version: number, options?: ReadLogOptions): AsyncIterable<LogEntry>
  /**
   * Creates entry `entry.version`, which must be the successor of one that the caller has read (or
   * appended). Resolves when durable, or with the entry that was there first. The winner may be the
   * caller's own, by its token, when a request was delivered twice. Throws
   * `AmbiguousAppendError` when it can't be known whether the entry was created.
   */
  append(entry: NewLogEntry, options?: LogCallOptions): Promise<AppendResult>
  /** Makes durable what was appended lazily before the call. Absent where no append is lazy. */
  sync?(): Promise<void>
  /**
   * Bytes of payload that were appended and are only in the memory of this process: they end with
   * it. Absent where no append is lazy.
   */
  readonly pendingBytes?: number
  /**
   * Writes what was appended and isn't written yet, holding up the thread, lazy entries above all;
   * and syncs what is written, if `durable`. For the end of a process, which waits for no append:
   * whoever waits for one isn't told what became of it. Throws nothing. Absent where no append is
   * lazy.
   */
  writeOut?(options: { durable: boolean }): void
  /** Replaces the payloads of all entries up to and including `through` with tombstones. */
  truncate(through: number, options?: TruncateOptions): Promise<void>
  /** Waits for appends under way, then lets go of locks and handles. Idempotent. */
  close(): Promise<void>
}

export interface LogCallOptions {
  signal?: AbortSignal | undefined
}

export interface TruncateOptions extends LogCallOptions {
  /**
   * A hint: the caller wants the space, and doesn't depend on the tombstones. Entries whose
   * payloads take little may keep them until a later call.
   */
  lazy?: boolean
}

export interface ReadLogOptions extends LogCallOptions {
  /** At most this many entries. */
  limit?: number | undefined
  /** Goes ahead of other requests that wait, as appends do: for a read that commits wait for. */
  urgent?: boolean | undefined
}

export interface NewLogEntry {
  /** A positive safe integer. */
  version: number
  /** Microseconds since the epoch, greater than that of every entry before. */
  timestamp: number
  /** A ULID, fresh per commit attempt. */
  token: string
  /** Owned by the log until the append settles. Empty payloads are allowed. */
  payload: Uint8Array
  /**
   * A hint: what came before will soon be truncated, this entry and what follows will not. A log
   * that keeps entries in files begins a new one here, so that the old one can go as a whole.
   */
  startsSegment?: boolean
  /**
   * A hint: the append may resolve before the entry is durable. Where nothing is in its way, the
   * call itself hands the entry to the operating system, so that it outlives the process. It
   * becomes durable with the next entry that isn't lazy, by `sync`, or at `close`; a crash of the
   * machine before may lose lazy entries from the end backwards. A log that can't sync later
   * ignores it.
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
