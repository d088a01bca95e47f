import { isFirnError } from '@firn/env'
import { ObjectStoreError, type ObjectStoreErrorReason } from '../../errors.js'

interface Meaning {
  reason: ObjectStoreErrorReason
  retryable: boolean
  advice: string
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
  EXDEV: {
    reason: 'layout',
    retryable: false,
    advice: 'the directory spans two file systems: keep all of it on one',
  },
}

const IO: Meaning = {
  reason: 'io',
  retryable: false,
  advice: 'look at the system log and the health of the device',
}

/** The code of a system call's error, as 'ENOENT'. */
export function codeOf(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | null | undefined)?.code
  return typeof code === 'string' ? code : undefined
}

/**
 * The typed form of an error of the file system. Others, and those that are typed already, are
 * returned as they are. `doing` says what failed, as "reading object 'a/b'".
 */
export function storeError(error: unknown, doing: string): unknown {
  const code = codeOf(error)
  if (code === undefined || isFirnError(error) || !/^E[A-Z0-9]+$/.test(code)) return error
  const { reason, retryable, advice } = MEANINGS[code] ?? IO
  return new ObjectStoreError(`${doing} failed with ${code}; ${advice}`, {
    reason,
    retryable,
    cause: error,
  })
}
