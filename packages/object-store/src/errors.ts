import { FirnError, type FirnErrorOptions } from '@firn/env'

/** There is no object of this key. */
export class ObjectNotFoundError extends FirnError {
  readonly key: string

  constructor(key: string, options?: FirnErrorOptions) {
    super(
      'FIRN_OBJECT_NOT_FOUND',
      `there is no object '${key}'; it was never written, or it was deleted`,
      { maybeDone: false, ...options },
    )
    this.key = key
  }
}

/** An `ifAbsent` or `ifMatch` doesn't hold. Nothing was written, or read. */
export class PreconditionFailedError extends FirnError {
  readonly key: string

  constructor(key: string, condition: 'ifAbsent' | 'ifMatch', options?: FirnErrorOptions) {
    super(
      'FIRN_PRECONDITION_FAILED',
      condition === 'ifAbsent'
        ? `object '${key}' exists already; read it to see who was first`
        : `object '${key}' is not the one that ifMatch names; read it again and decide anew`,
      { maybeDone: false, ...options },
    )
    this.key = key
  }
}

/** What kept a store from answering. */
export type ObjectStoreErrorReason =
  /** The device or the operating system failed. */
  | 'io'
  /** The device, or the owner's quota, is full. */
  | 'no-space'
  /** The process or the system is out of file descriptors. */
  | 'too-many-files'
  /** The caller may not do this. */
  | 'permission'
  /** The store asks for fewer requests. */
  | 'throttled'
  /** No answer came in time. */
  | 'timeout'
  /** The store could not be reached, or failed in itself. */
  | 'unavailable'
  /** An answer came and contradicts itself or the question. */
  | 'bad-reply'
  /** What is stored doesn't look as this store lays it out. */
  | 'layout'
  /** The store isn't where it was opened: renamed, removed or replaced. The call did nothing. */
  | 'moved'

export interface ObjectStoreErrorOptions extends FirnErrorOptions {
  reason: ObjectStoreErrorReason
}

/**
 * A request failed for a reason that is not the caller's. After a failed write it is unknown
 * whether the object was written, unless `maybeDone` is false. `retryable` says whether trying
 * again can help.
 */
export class ObjectStoreError extends FirnError {
  readonly reason: ObjectStoreErrorReason

  constructor(message: string, options: ObjectStoreErrorOptions) {
    super('FIRN_OBJECT_STORE', message, options)
    this.reason = options.reason
  }
}

/** The store can't be written to. */
export class ReadOnlyStoreError extends FirnError {
  constructor(message: string, options?: FirnErrorOptions) {
    super('FIRN_READ_ONLY', message, { maybeDone: false, ...options })
  }
}

/** The store can't do this at all, whatever the arguments. */
export class UnsupportedOperationError extends FirnError {
  constructor(message: string, options?: FirnErrorOptions) {
    super('FIRN_UNSUPPORTED', message, { maybeDone: false, ...options })
  }
}
