/** The meaning of a file system error, in one word. */
export type SystemErrorReason =
  | 'no-space'
  | 'too-many-files'
  | 'permission'
  | 'unavailable'
  | 'timeout'
  | 'layout'
  | 'io'

/** What Firn knows about an error of a file system. */
export interface SystemErrorMeaning {
  readonly reason: SystemErrorReason
  /** Whether the same call may succeed later without a repair. */
  readonly retryable: boolean
  /**
   * Whether the file system, or the runtime, refused the call by itself, so that nothing was done.
   * A file server that was asked and didn't answer reports another error.
   */
  readonly refused: boolean
  /** What to do, in words. */
  readonly advice: string
}

const UNSUPPORTED: SystemErrorMeaning = refusal(
  'io',
  'the file system does not support this: keep the data on another one',
)
const FORBIDDEN: SystemErrorMeaning = refusal('permission', 'check owner and mode of the files')
const AGAIN: SystemErrorMeaning = failure('unavailable', true, 'try again')

const MEANINGS: Readonly<Record<string, SystemErrorMeaning>> = {
  ENOSPC: refusal('no-space', 'the device is full: make room'),
  EDQUOT: refusal('no-space', 'the quota is used up: make room'),
  EFBIG: refusal('no-space', 'the file is too large for the file system'),
  EMFILE: {
    ...refusal(
      'too-many-files',
      'this process has too many open files: raise its limit (ulimit -n)',
    ),
    retryable: true,
  },
  ENFILE: {
    ...refusal(
      'too-many-files',
      'the system has too many open files: close some, or raise its limit',
    ),
    retryable: true,
  },
  EACCES: FORBIDDEN,
  EPERM: FORBIDDEN,
  EROFS: refusal('permission', 'the file system is mounted read-only'),
  EAGAIN: AGAIN,
  EINTR: AGAIN,
  EBUSY: failure('unavailable', true, 'another program uses the file'),
  ETIMEDOUT: failure('timeout', true, 'the file server did not answer'),
  ESTALE: failure('unavailable', true, 'the file server lost its handle'),
  ELOOP: refusal('layout', 'there is a symbolic link where none is allowed'),
  ENOTDIR: refusal('layout', 'there is a file where a directory is expected'),
  EISDIR: refusal('layout', 'there is a directory where a file is expected'),
  ENOENT: refusal('layout', 'a part of the path is missing, or was removed meanwhile'),
  EXDEV: refusal('layout', 'the directory spans two file systems: keep all of it on one'),
  ENAMETOOLONG: refusal('io', 'the path is too long for the file system: shorten it'),
  EMLINK: refusal('io', 'the file system allows no more links to the file'),
  EIO: failure('io', false, 'look at the system log and the health of the device'),
  EINVAL: UNSUPPORTED,
  ENOSYS: UNSUPPORTED,
  ENOTSUP: UNSUPPORTED,
  EOPNOTSUPP: UNSUPPORTED,
}

/** Any other code: no advice is known. */
const UNKNOWN: SystemErrorMeaning = failure('io', false, 'the system reports no further reason')

function refusal(reason: SystemErrorReason, advice: string): SystemErrorMeaning {
  return { reason, retryable: false, refused: true, advice }
}

function failure(
  reason: SystemErrorReason,
  retryable: boolean,
  advice: string,
): SystemErrorMeaning {
  return { reason, retryable, refused: false, advice }
}

/** The code of a system call's error, such as 'ENOENT'; `undefined` for an error without one. */
export function codeOf(error: unknown): string | undefined {
  const { code, name } = (error ?? {}) as { code?: unknown; name?: unknown }
  // Deno's own, if it wasn't started with --allow-read or --allow-write for the path.
  if (name === 'NotCapable') return 'EACCES'
  return typeof code === 'string' ? code : undefined
}

export function meaningOf(error: unknown): SystemErrorMeaning {
  return MEANINGS[codeOf(error) ?? ''] ?? UNKNOWN
}

/** Whether an error says that there is no such file. */
export function isMissing(error: unknown): boolean {
  const code = codeOf(error)
  return code === 'ENOENT' || code === 'ENOTDIR'
}

const NO_LINKS: ReadonlySet<unknown> = new Set([
  'EPERM',
  'ENOTSUP',
  'EOPNOTSUPP',
  'ENOSYS',
  'EINVAL',
  'EMLINK',
])

/** Whether an error of a link says that the file system can't make one. */
export function cannotLink(error: unknown): boolean {
  return NO_LINKS.has(codeOf(error))
}

/** Errors of file systems that can't sync a directory, or open one to do so. */
const NO_DIRECTORY_SYNC: ReadonlySet<unknown> = new Set([
  'EINVAL',
  'ENOTSUP',
  'EOPNOTSUPP',
  'ENOSYS',
  'EBADF',
  'EISDIR',
  'EPERM',
])

/**
 * Whether an error of a directory's sync says that the file system can't sync directories at all.
 * Any other error is a failed sync.
 */
export function cannotSyncDirectory(error: unknown): boolean {
  return NO_DIRECTORY_SYNC.has(codeOf(error))
}
