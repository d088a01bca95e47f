import { isFirnError } from '@firn/env'
import { ObjectStoreError, type ObjectStoreErrorReason } from '../../errors.js'

interface Meaning {
  reason: ObjectStoreErrorReason
  retryable: boolean
  advice: string
}

const UNSUPPORTED: Meaning = {
  reason: 'io',
  retryable: false,
  advice: 'the file system cannot do what was asked of it: keep the data on another one',
}

const MEANINGS: Readonly<Record<string, Meaning>> = {
  ENOSPC: { reason: 'no-space', retryable: false, advice: 'the device is full: make room' },
  EDQUOT: { reason: 'no-space', retryable: false, advice: 'the quota is used up: make room' },
  EFBIG: {
    reason: 'no-space',
    retryable: false,
    advice: 'the file system takes no file that large',
  },
  EMFILE: {
    reason: 'too-many-files',
    retryable: true,
    advice: 'this process has too many open files: raise its limit (ulimit -n)',
  },
  ENFILE: {
    reason: 'too-many-files',
    retryable: true,
    advice: 'the system has too many open files: close some, or raise its limit',
  },
  EACCES: { reason: 'permission', retryable: false, advice: 'check owner and mode of the files' },
  EPERM: { reason: 'permission', retryable: false, advice: 'check owner and mode of the files' },
  EROFS: { reason: 'permission', retryable: false, advice: 'the file system is mounted read-only' },
  EAGAIN: { reason: 'unavailable', retryable: true, advice: 'try again' },
  EBUSY: { reason: 'unavailable', retryable: true, advice: 'another program uses the file' },
  EINTR: { reason: 'unavailable', retryable: true, advice: 'try again' },
  ETIMEDOUT: { reason: 'timeout', retryable: true, advice: 'the file server did not answer' },
  ESTALE: { reason: 'unavailable', retryable: true, advice: 'the file server lost its handle' },
  ELOOP: { reason: 'layout', retryable: false, advice: 'a symbolic link stands where none may' },
  ENOTDIR: {
    reason: 'layout',
    retryable: false,
    advice: 'a file stands where a directory belongs',
  },
  EISDIR: { reason: 'layout', retryable: false, advice: 'a directory stands where a file belongs' },
  EIO: {
    reason: 'io',
    retryable: false,
    advice: 'look at the system log and the health of the device',
  },
  EINVAL: UNSUPPORTED,
  ENOSYS: UNSUPPORTED,
  ENOTSUP: UNSUPPORTED,
  EOPNOTSUPP: UNSUPPORTED,
  ENOENT: {
    reason: 'layout',
    retryable: false,
    advice: 'a part of the path is missing, or was removed meanwhile',
  },
  EXDEV: {
    reason: 'layout',
    retryable: false,
    advice: 'the directory spans two file systems: keep all of it on one',
  },
}

/** Any other code: nothing is known of what to do. */
const IO: Meaning = { reason: 'io', retryable: false, advice: 'the system says no more about it' }

/**
 * Codes of a file system, or a runtime, that refuses a call by itself, before anything of it is
 * done. A server that was asked and didn't answer says something else.
 */
const REFUSALS: ReadonlySet<string> = new Set([
  'EACCES',
  'EPERM',
  'EROFS',
  'ENOSPC',
  'EDQUOT',
  'EFBIG',
  'ENOTDIR',
  'EISDIR',
  'ENOENT',
  'ENAMETOOLONG',
  'ELOOP',
  'EXDEV',
  'EMFILE',
  'ENFILE',
  'EMLINK',
  'EINVAL',
  'ENOSYS',
  'ENOTSUP',
  'EOPNOTSUPP',
])

/** The code of a system call's error, as 'ENOENT'. */
export function codeOf(error: unknown): string | undefined {
  const { code, name } = (error ?? {}) as { code?: unknown; name?: unknown }
  // Deno's own, where it wasn't started with --allow-read or --allow-write for the path.
  if (name === 'NotCapable') return 'EACCES'
  return typeof code === 'string' ? code : undefined
}

/** Whether a call that failed with this error certainly changed nothing. */
export function isRefusal(error: unknown): boolean {
  return REFUSALS.has(codeOf(error) ?? '')
}

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
  const { reason, retryable, advice } = MEANINGS[code] ?? IO
  const path = (error as { path?: unknown }).path
  const where = typeof path === 'string' ? path : directory
  return new ObjectStoreError(`${doing} failed with ${code} at ${where}; ${advice}`, {
    reason,
    retryable,
    maybeDone,
    cause: error,
  })
}
