import { fileURLToPath } from 'node:url'
import type { Env } from '@firn/env'
import { type CommitLog, ObjectCommitLog, openRoot } from '@firn/manifest'
import { FileCommitLog } from '@firn/manifest/file'
import type { ObjectStore } from '@firn/object-store'
import { FsObjectStore } from '@firn/object-store/fs'
import { openingFailure } from './database-access.js'
import { UsageError } from './errors.js'
import type { DatabaseLocation } from './location.js'

/** The object store of a database, and how to open its log, both for reading only. */
export interface DatabaseParts {
  readonly store: ObjectStore
  /** Throws `DatabaseNotFoundError` where there is no database. */
  findIncarnation(): Promise<string>
  openLog(incarnation: string): Promise<CommitLog>
}

/**
 * What a database is made of, for commands that look below the engine. Nothing is read yet. Throws
 * `UsageError` for a location whose parts only one process has.
 */
export function partsOf(location: DatabaseLocation, clock: Env): DatabaseParts {
  const { directory, log } = directoryOf(location)
  const store = new FsObjectStore(directory, { env: clock })
  return {
    store,
    async findIncarnation() {
      try {
        return (await openRoot(store, { env: clock, createIfMissing: false })).incarnation
      } catch (error) {
        throw openingFailure(error, location)
      }
    },
    openLog: async (incarnation) =>
      log === 'objects'
        ? new ObjectCommitLog(store, incarnation)
        : FileCommitLog.open(directory, { env: clock, mode: 'read' }),
  }
}

function directoryOf(location: DatabaseLocation): { directory: string; log: 'file' | 'objects' } {
  const url = parse(location.url)
  if (url?.protocol !== 'file:') {
    throw new UsageError(
      `${location.shown} has no files to look into; this command is for databases in a directory (file:…)`,
    )
  }
  const log = url.searchParams.get('log') ?? 'file'
  if (log !== 'file' && log !== 'objects') {
    throw new UsageError(`unknown log ${JSON.stringify(log)}; leave it out or use ?log=objects`)
  }
  return { directory: fileURLToPath(new URL(url.pathname, 'file:')), log }
}

function parse(text: string): URL | undefined {
  try {
    return new URL(text)
  } catch {
    return undefined
  }
}
