import { FirnError, type FirnErrorOptions } from '@firn/env'

/** No object has this key. */
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

/** An `ifAbsent` or `ifMatch` doesn't hold. Nothing was written or read. */
export class PreconditionFailedError extends FirnError {
  readonly key: string

  constructor(key: string, condition: 'ifAbsent' | 'ifMatch', options?: FirnErrorOptions) {
    super(
      'FIRN_PRECONDITION_FAILED',
      condition === 'ifAbsent'
        ? `object '${key}' already exists; read it to see which writer was first`
        : `object '${key}' does not have the etag of ifMatch; read it again and decide anew`,
      { maybeDone: false, ...options },
    )
    this.key = key
  }
}

/** Reason why a request to a store failed. */
export type ObjectStoreErrorReason =
  /** The device or the operating system failed. */
  | 'io'
  /** The device, or the owner's quota, is full. */
  | 'no-space'
  /** The process or the system is out of file descriptors. */
  | 'too-many-files'
  /** The caller isn't allowed to do this. */
  | 'permission'
  /** The store asks for fewer requests. */
  | 'throttled'
  /** No answer came in time. */
  | 'timeout'
  /** The store could not be reached, or had an internal failure. */
  | 'unavailable'
  /** The answer contradicts itself or the request. */
  | 'bad-reply'
  /** The stored files or objects don't have the layout of this store. */
  | 'layout'
  /** The store was renamed, removed or replaced after it was opened. The call did nothing. */
  | 'moved'

export interface ObjectStoreErrorOptions extends FirnErrorOptions {
  reason: ObjectStoreErrorReason
}

/**
 * A request failed, not because of the caller's arguments. After a failed write it is unknown
 * whether the object was written, unless `maybeDone` is false. `retryable` says whether a retry can
 * help.
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

/** The store doesn't support this operation. */
export class UnsupportedOperationError extends FirnError {
  constructor(message: string, options?: FirnErrorOptions) {
    super('FIRN_UNSUPPORTED', message, { maybeDone: false, ...options })
  }
}
