import { LogFailedError } from '../../errors.js'

/** `ENOSPC`, `EIO` …: never an error's message, which may hold anything. */
export function reasonOf(error: unknown): string {
  const code = (error as { code?: unknown } | null)?.code
  return typeof code === 'string' ? code : 'unknown error'
}

const ADVICE = {
  opened: 'see that the directory can be read and written and has space',
  read: 'look at the system log and the health of the device',
  truncated: 'it keeps the entries; see that the directory can be written and has space',
} as const

/** Does some work on a log; gives errors of the system a code and a place. */
export async function typed<T>(
  directory: string,
  done: keyof typeof ADVICE,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (typeof (error as { syscall?: unknown } | null)?.syscall !== 'string') throw error
    throw new LogFailedError(
      `the commit log in ${directory} could not be ${done} (${reasonOf(error)}); ${ADVICE[done]}`,
      error,
    )
  }
}
