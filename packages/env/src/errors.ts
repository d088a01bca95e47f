const FIRN_ERROR: unique symbol = Symbol.for('firn.error')

export interface FirnErrorOptions {
  /** The underlying error. */
  cause?: unknown
  /** Whether the same call may succeed if it is made again. Default false. */
  retryable?: boolean
  /** Whether the failed call may have taken effect, or may still do so. Default true. */
  maybeDone?: boolean
}

/**
 * Every error that a user of Firn can meet. `code` never changes; messages say what was wrong,
 * where, and what to do next, and never hold keys, values or credentials.
 */
export class FirnError extends Error {
  readonly code: string
  readonly retryable: boolean
  /**
   * False if the failed call certainly changed nothing, and won't later. True if it may have taken
   * effect, may still do so, or if that isn't known.
   */
  readonly maybeDone: boolean

  constructor(code: string, message: string, options: FirnErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = new.target.name
    this.code = code
    this.retryable = options.retryable ?? false
    this.maybeDone = options.maybeDone ?? true
    Object.defineProperty(this, FIRN_ERROR, { value: true })
  }
}

/** True for a `FirnError` of any copy of this package; with `code`, only for one with that code. */
export function isFirnError(error: unknown, code?: string): error is FirnError {
  return (
    typeof error === 'object' &&
    error !== null &&
    FIRN_ERROR in error &&
    (code === undefined || (error as { code?: unknown }).code === code)
  )
}

/** An argument of a public call is of the wrong type, out of bounds, or contradicts another. */
export class InvalidArgumentError extends FirnError {
  constructor(message: string, options?: FirnErrorOptions) {
    super('FIRN_INVALID_ARGUMENT', message, { maybeDone: false, ...options })
  }
}

/** Stored bytes are not what was written: a checksum, a length or a structure doesn't hold. */
export class CorruptionError extends FirnError {
  constructor(message: string, options?: FirnErrorOptions) {
    super('FIRN_CORRUPTION', message, options)
  }
}

/** Stored bytes carry a format version that this release doesn't know. Nothing was changed. */
export class FormatVersionError extends FirnError {
  constructor(message: string, options?: FirnErrorOptions) {
    super('FIRN_FORMAT_VERSION', message, { maybeDone: false, ...options })
  }
}

/**
 * The object was closed before the call, which then did nothing, or during it; `maybeDone` says
 * which.
 */
export class ClosedError extends FirnError {
  constructor(message: string, options?: FirnErrorOptions) {
    super('FIRN_CLOSED', message, { maybeDone: false, ...options })
  }
}
