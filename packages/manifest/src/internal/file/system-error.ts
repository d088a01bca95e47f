import { LogFailedError } from '../../errors.js'

/** `ENOSPC`, `EIO` …: never an error's message, which may hold anything. */
export function reasonOf(error: unknown): string {
  const code = (error as { code?: unknown } | null)?.code
  return typeof code === 'string' ? code : 'unknown error'
}

/** Does some work of opening a log; gives errors of the system a code and a place. */
export async function openable<T>(directory: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (typeof (error as { syscall?: unknown } | null)?.syscall !== 'string') throw error
    throw new LogFailedError(
      `the commit log in ${directory} could not be opened (${reasonOf(error)}); see that the directory can be read and written and has space`,
      error,
    )
  }
}
