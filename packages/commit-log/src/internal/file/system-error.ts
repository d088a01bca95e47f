import { LogFailedError } from '../../errors.js'

/** `ENOSPC`, `EIO` …: never an error's message, which may hold anything. */
export function reasonOf(error: unknown): string {
  const code = (error as { code?: unknown } | null)?.code
  return typeof code === 'string' ? code : 'unknown error'
}

const ADVICE = {
  opened: 'see that the directory can be read and written and has space',
  read: 'see that the directory can be read',
  written: 'see that the directory can be written and has space',
  truncated: 'see that the directory can be written and has space',
} as const

const FULL = 'make room there'
const FORBIDDEN =
  'see that this user may read and write there, and that it is not mounted read-only'
const UNSUPPORTED = 'that file system cannot do what a log needs: keep the database on another one'
const TOO_MANY = 'too many files are open: raise the limit (ulimit -n)'

const BY_CODE: Readonly<Record<string, string>> = {
  ENOSPC: FULL,
  EDQUOT: FULL,
  EFBIG: FULL,
  EACCES: FORBIDDEN,
  EPERM: FORBIDDEN,
  EROFS: FORBIDDEN,
  EINVAL: UNSUPPORTED,
  ENOSYS: UNSUPPORTED,
  ENOTSUP: UNSUPPORTED,
  EOPNOTSUPP: UNSUPPORTED,
  EMFILE: TOO_MANY,
  ENFILE: TOO_MANY,
  ENOTDIR: 'a file stands where a directory belongs',
  EIO: 'look at the system log and the health of the device',
}

/** What to do about an error of the system. */
export function adviceOn(error: unknown, done: keyof typeof ADVICE): string {
  return BY_CODE[reasonOf(error)] ?? ADVICE[done]
}

/** Which file it was, where the system says so. */
export function placeOf(error: unknown): string {
  const path = (error as { path?: unknown } | null)?.path
  return typeof path === 'string' ? ` at ${path}` : ''
}

/** Does some work on a log; gives errors of the system a code and a place. */
export async function withLogErrors<T>(
  directory: string,
  done: keyof typeof ADVICE,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (typeof (error as { syscall?: unknown } | null)?.syscall !== 'string') throw error
    throw new LogFailedError(
      `the commit log in ${directory} could not be ${done} (${reasonOf(error)}${placeOf(error)}); ${adviceOn(error, done)}`,
      error,
    )
  }
}
