import { codeOf, meaningOf } from '@firn/vfs'
import { LogFailedError } from '../../errors.js'

/** A code such as `ENOSPC` or `EIO`; never an error's message, which may hold anything. */
export function reasonOf(error: unknown): string {
  return codeOf(error) ?? 'unknown error'
}

/** The file that the error names, if any. */
export function placeOf(error: unknown): string {
  const path = (error as { path?: unknown } | null)?.path
  return typeof path === 'string' ? ` at ${path}` : ''
}

/** Runs some work on a log; turns system errors into a `LogFailedError` that names the place. */
export async function withLogErrors<T>(
  directory: string,
  done: 'opened' | 'read' | 'truncated',
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (typeof (error as { syscall?: unknown } | null)?.syscall !== 'string') throw error
    throw new LogFailedError(
      `the commit log in ${directory} could not be ${done} (${reasonOf(error)}${placeOf(error)}); ${meaningOf(error).advice}`,
      error,
    )
  }
}
