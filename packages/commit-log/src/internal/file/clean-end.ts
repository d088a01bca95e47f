import { CorruptionError } from '@firn/env'
import { codeOf } from '@firn/vfs'
import { DirectoryLock, type DirectoryLockOptions } from './directory-lock.js'

/** The note that a writer leaves in the lock when it closes the log in order: its last version. */
export interface CleanEnd {
  version: number
}

/** Reads the note of a directory's lock without taking the lock. */
export async function inspectNote(
  directory: string,
  options: DirectoryLockOptions,
): Promise<unknown> {
  try {
    return await DirectoryLock.readNote(directory, options)
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined
    throw error
  }
}

/**
 * Throws unless every version is there that the last owner left when it closed the log. An old note
 * never hurts: a log only grows.
 */
export function assertCleanEnd(note: unknown, lastVersion: number): void {
  const { version } = (note ?? {}) as Partial<CleanEnd>
  if (typeof version === 'number' && version > lastVersion) {
    throw new CorruptionError(
      `the commit log was closed at version ${version}, but ends at ${lastVersion}: entries are damaged or missing. Restore from a backup`,
    )
  }
}
