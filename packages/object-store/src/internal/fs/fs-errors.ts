import { isFirnError } from '@firn/env'
import { codeOf, meaningOf } from '@firn/vfs'
import { ObjectStoreError } from '../../errors.js'

/** What was done when an error came up. */
export interface Failed {
  /** As "reading object 'a/b'". */
  doing: string
  /** The store's directory, named unless the error has a path of its own. */
  directory: string
  /** Whether a write may have been done all the same. Default: it may. */
  maybeDone?: boolean
}

/**
 * The typed form of an error of the file system. Others, and those that are typed already, are
 * returned as they are.
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
