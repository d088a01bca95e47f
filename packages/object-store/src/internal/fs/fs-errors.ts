import { isFirnError } from '@firn/env'
import { codeOf, meaningOf } from '@firn/vfs'
import { ObjectStoreError } from '../../errors.js'

/** The operation that failed. */
export interface Failed {
  /** For example "reading object 'a/b'". */
  doing: string
  /** The store's directory, named unless the error has its own path. */
  directory: string
  /** Whether a write may have taken effect despite the error. Default: it may. */
  maybeDone?: boolean
}

/**
 * Converts a file system's error into its typed form. Other errors, and typed ones, are returned
 * unchanged.
 */
export function storeError(
  error: unknown,
  { doing, directory, maybeDone = true }: Failed,
): unknown {
  const code = codeOf(error)
  if (code === undefined || isFirnError(error) || !/^E[A-Z0-9]+$/.test(code)) return error
  const { reason, retryable, advice } = meaningOf(error)
  const path = (error as { path?: unknown }).path
  const where = typeof path === 'string' ? path : directory
  return new ObjectStoreError(`${doing} failed with ${code} at ${where}; ${advice}`, {
    reason,
    retryable,
    maybeDone,
    cause: error,
  })
}
