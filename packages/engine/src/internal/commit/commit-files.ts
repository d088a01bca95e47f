import { type Env, isFirnError, Retries } from '@firn/env'
import type { Edit, FileMeta } from '@firn/manifest'
import type { Commit } from '../../write-options.js'
import type { CommitGuard } from '../append/commit-guard.js'
import type { FileWriter } from '../files/file-writer.js'
import type { Committer } from './committer.js'

/**
 * How many times a commit is tried in all, each time until a committer's own attempts against other
 * processes are used up.
 */
const MAX_ATTEMPTS = 10
/** Longest pause before the second try. */
const FIRST_PAUSE_MS = 10

export interface FilesToCommit {
  /** The edit that names the files. */
  edit: Edit
  /** Files written for this commit. */
  files: readonly FileMeta[]
  /** Tables that must still exist. */
  tableIds?: readonly number[] | undefined
  guard?: CommitGuard | undefined
  /** Whether the commit is tried again if it is refused because other processes were first. */
  isPersistent?: boolean | undefined
}

/**
 * Commits files that are already written. If the commit is refused, deletes them and throws
 * `CommitConflictError` or another retryable error. After any other error the entry may exist, so
 * the files stay.
 */
export async function commitFiles(
  { edit, files, tableIds, guard, isPersistent = false }: FilesToCommit,
  parts: {
    env: Env
    committer: Committer
    writer: FileWriter
  },
): Promise<Commit> {
  const { env, committer, writer } = parts
  const attempts = isPersistent ? MAX_ATTEMPTS : 1
  const retries = new Retries({ env, attempts, baseDelayMs: FIRST_PAUSE_MS })
  try {
    return await retries.run(undefined, () => committer.commitEdits([edit], tableIds, guard))
  } catch (error) {
    if (isRefusal(error)) await writer.discard(files)
    throw error
  }
}

/** True if an error means that the entry doesn't exist and never will. */
function isRefusal(error: unknown): boolean {
  if (isFirnError(error, 'FIRN_COMMIT_CONFLICT')) return true
  // A retryable error means that nothing was written, except for `FIRN_COMMIT_UNKNOWN`.
  return isFirnError(error) && error.retryable && error.code !== 'FIRN_COMMIT_UNKNOWN'
}
