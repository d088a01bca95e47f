import { FirnError, isFirnError } from '@firn/env'

/** The log doesn't know whether the entry was created. `appendSettled` finds out. */
export class AmbiguousAppendError extends FirnError {
  readonly version: number
  readonly token: string

  constructor(entry: { version: number; token: string }, cause?: unknown) {
    super(
      'FIRN_AMBIGUOUS_APPEND',
      `no certain answer to the append of entry ${entry.version}: it may have been created; read it back and compare tokens`,
      { retryable: true, cause },
    )
    this.version = entry.version
    this.token = entry.token
  }
}

/**
 * The deadline passed before it was known whether a commit happened. It may still take effect, so
 * nothing that it refers to may be deleted. `resolveCommit` can find out later, from this version
 * and token.
 */
export class CommitUnknownError extends FirnError {
  readonly version: number
  readonly token: string

  constructor(entry: { version: number; token: string }, cause?: unknown) {
    super(
      'FIRN_COMMIT_UNKNOWN',
      `whether the commit of version ${entry.version} (token ${entry.token}) took effect is not known${becauseOf(cause)}; find out with resolveCommit before you write the same data again`,
      { cause },
    )
    this.version = entry.version
    this.token = entry.token
  }
}

/** The innermost cause that is a Firn error, whose message may be shown. */
function becauseOf(cause: unknown): string {
  let at = cause
  while (isFirnError(at) && isFirnError(at.cause)) at = at.cause
  return isFirnError(at) && at.code !== 'FIRN_AMBIGUOUS_APPEND' ? ` (${at.message})` : ''
}

/**
 * A file of the log could not be read, written or synced. After a failed write or sync, what is on
 * the disk is unknown, so the log accepts nothing more. Reopening reads what is there, which may
 * include an entry that wasn't acknowledged.
 */
export class LogFailedError extends FirnError {
  constructor(message: string, cause: unknown) {
    super('FIRN_LOG_FAILED', message, { cause })
  }
}

/** Another process, or another handle of this one, has the database open for writing. */
export class LockedError extends FirnError {
  constructor(message: string) {
    super('FIRN_LOCKED', message, { retryable: true, maybeDone: false })
  }
}

/** The lease is not, or may not be, this holder's any more. Stop the work that it was for. */
export class LeaseLostError extends FirnError {
  constructor(name: string, how: 'taken' | 'lost' | 'released' | 'unknown', cause?: unknown) {
    super('FIRN_LEASE_LOST', `the lease '${name}' ${LOST[how]}; acquire it again before going on`, {
      cause,
    })
  }
}

const LOST = {
  taken: 'was taken by another holder, because it was not renewed in time',
  lost: 'was lost before',
  released: 'was released before',
  unknown: 'counts as lost: there was no certain answer to its renewal',
}
