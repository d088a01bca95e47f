import { CorruptionError, FirnError, type FirnErrorOptions, messageOf } from '@firn/env'

/** `getSync` would have to wait for I/O: a block that the answer may be in isn't in memory. */
export class NotResidentError extends FirnError {
  constructor(table: string) {
    super(
      'FIRN_NOT_RESIDENT',
      `getSync on table ${JSON.stringify(table)}: a block is not in memory; use get, or a larger cache.memoryBytes`,
      { maybeDone: false },
    )
  }
}

/** A moment that is asked for lies before what the table's history retention keeps. */
export class SnapshotExpiredError extends FirnError {
  constructor(message: string, options?: FirnErrorOptions) {
    super('FIRN_SNAPSHOT_EXPIRED', message, { maybeDone: false, ...options })
  }
}

/** A version that is asked for doesn't exist yet. */
export class VersionNotFoundError extends FirnError {
  constructor(asked: number, newest: number) {
    super(
      'FIRN_VERSION_NOT_FOUND',
      `version ${asked} does not exist: the newest is ${newest}; refresh() reads what others committed`,
      { retryable: true, maybeDone: false },
    )
  }
}

/** A write on a database that was opened with `mode: 'read'`. */
export class ReadOnlyError extends FirnError {
  constructor(what: string) {
    super(
      'FIRN_READ_ONLY',
      `${what}: the database is open for reading only; open it with mode: 'write'`,
      { maybeDone: false },
    )
  }
}

/** An option contradicts those that a table was created with. */
export class TableOptionsError extends FirnError {
  constructor(message: string) {
    super('FIRN_TABLE_OPTIONS', message, { maybeDone: false })
  }
}

/**
 * A commit failed in a way that leaves this process unable to know or extend the log. Reads go on;
 * writes are refused until the database is opened again.
 */
export class WriteStoppedError extends FirnError {
  constructor(cause: unknown) {
    super(
      'FIRN_WRITE_STOPPED',
      `writes stopped after a failed commit (${messageOf(cause)}); reads go on; close the database, mend the cause and open it again`,
      { cause },
    )
  }
}

/**
 * A write waited for a flush or a compaction, which was tried several times and given up. Nothing
 * was written. Writes go on as soon as the work succeeds: it is tried again with the next write.
 */
export class WriteStalledError extends FirnError {
  constructor(work: 'compaction' | 'flush', cause: unknown) {
    const why = messageOf(cause)
    super(
      'FIRN_WRITE_STALLED',
      `nothing was written: writes wait for a ${work}, which fails (${why}); reads go on; mend the cause and write again`,
      { cause, retryable: true },
    )
  }
}

/** What a commit was based on is gone: others committed something that contradicts it. */
export class CommitConflictError extends FirnError {
  constructor(message: string, options?: FirnErrorOptions) {
    super('FIRN_COMMIT_CONFLICT', message, { maybeDone: false, ...options })
  }
}

/** A transaction was run as often as it may, and others were in its way each time. */
export class TransactionConflictError extends FirnError {
  constructor(attempts: number, cause: Error) {
    super(
      'FIRN_TRANSACTION_CONFLICT',
      `the transaction was given up after ${attempts} ${attempts === 1 ? 'attempt' : 'attempts'}, as others were first (at last: ${cause.message}); nothing was written; run it again, allow it more attempts, or let it read less`,
      { cause, retryable: true, maybeDone: false },
    )
  }
}

/**
 * A table was dropped, and its files are gone, while somebody reads a moment at which it was there.
 */
export function tableDropped(table: string, cause?: unknown): SnapshotExpiredError {
  return new SnapshotExpiredError(
    `table ${JSON.stringify(table)} was dropped while it was read; its files and its history are gone`,
    { cause },
  )
}

/** A file that a read needs is not in the store, and nothing took its place. */
export function fileMissing(table: string, cause: unknown): CorruptionError {
  return new CorruptionError(
    `a file of table ${JSON.stringify(table)} is missing: ${messageOf(cause)}; firn verify lists what else is; restore it from a backup`,
    { cause },
  )
}
