import { CorruptionError, FirnError, type FirnErrorOptions, messageOf } from '@firn/env'

/**
 * Thrown by `getSync` when it would have to wait for I/O: a block that may hold the answer isn't in
 * memory.
 */
export class NotResidentError extends FirnError {
  constructor(table: string) {
    super(
      'FIRN_NOT_RESIDENT',
      `getSync on table ${JSON.stringify(table)}: a block is not in memory; use get, or a larger cache.memoryBytes`,
      { maybeDone: false },
    )
  }
}

/** A read asked for a moment older than the table's history retention keeps. */
export class SnapshotExpiredError extends FirnError {
  constructor(message: string, options?: FirnErrorOptions) {
    super('FIRN_SNAPSHOT_EXPIRED', message, { maybeDone: false, ...options })
  }
}

/** A call asked for a version that doesn't exist yet. */
export class VersionNotFoundError extends FirnError {
  constructor(asked: number, newest: number) {
    super(
      'FIRN_VERSION_NOT_FOUND',
      `version ${asked} does not exist: the newest is ${newest}; refresh() reads what others committed`,
      { retryable: true, maybeDone: false },
    )
  }
}

/** A database opened with `mode: 'read'` was asked to write. */
export class ReadOnlyError extends FirnError {
  constructor(what: string) {
    super(
      'FIRN_READ_ONLY',
      `${what}: the database is open for reading only; open it with mode: 'write'`,
      { maybeDone: false },
    )
  }
}

/** An option contradicts the options that a table was created with. */
export class TableOptionsError extends FirnError {
  constructor(message: string) {
    super('FIRN_TABLE_OPTIONS', message, { maybeDone: false })
  }
}

/**
 * A failed commit left this process unable to know the log's state or to extend it. Reads go on.
 * Writes are refused until the database is opened again.
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
 * A write waited for a flush or a compaction, which failed several times. Nothing was written. The
 * next write starts the work again, and writes go on when it succeeds.
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

/** A commit lost to other writes: they contradict it, or other processes were first too often. */
export class CommitConflictError extends FirnError {
  constructor(message: string, options?: FirnErrorOptions) {
    super('FIRN_COMMIT_CONFLICT', message, { maybeDone: false, ...options })
  }
}

/** A transaction met a conflict in each of its attempts. */
export class TransactionConflictError extends FirnError {
  constructor(attempts: number, cause: Error) {
    super(
      'FIRN_TRANSACTION_CONFLICT',
      `the transaction was given up after ${attempts} ${attempts === 1 ? 'attempt' : 'attempts'}, because other writes were first each time (last: ${cause.message}); nothing was written; run it again, allow it more attempts, or let it read less`,
      { cause, retryable: true, maybeDone: false },
    )
  }
}

/**
 * Creates the error for a read of a past moment whose table was dropped and whose files are
 * deleted.
 */
export function tableDropped(table: string, cause?: unknown): SnapshotExpiredError {
  return new SnapshotExpiredError(
    `table ${JSON.stringify(table)} was dropped while it was read; its files and its history are gone`,
    { cause },
  )
}

/**
 * Creates the error for a file that a read needs, that the store doesn't have and that no other
 * file replaced.
 */
export function fileMissing(table: string, cause: unknown): CorruptionError {
  return new CorruptionError(
    `a file of table ${JSON.stringify(table)} is missing: ${messageOf(cause)}; restore it from a backup; firn verify lists all other missing files`,
    { cause },
  )
}
