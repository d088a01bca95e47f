import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Env } from '@firn/env'
import { type CommitLog, logPrefix, ObjectCommitLog, openRoot } from '@firn/manifest'
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
    async openLog(incarnation) {
      // As the engine has it: opened with the other kind of log, a database would look empty.
      if (log === 'objects') {
        if (await hasSegments(directory)) throw otherLog(location, 'a file', 'without ?log=objects')
        return new ObjectCommitLog(store, incarnation)
      }
      for await (const _ of store.list({ prefix: logPrefix(incarnation), limit: 1 })) {
        throw otherLog(location, 'objects', 'with ?log=objects')
      }
      return FileCommitLog.open(directory, { env: clock, mode: 'read' })
    },
  }
}

async function hasSegments(directory: string): Promise<boolean> {
  try {
    return (await readdir(join(directory, 'log'))).some((name) => name.endsWith('.log'))
  } catch {
    return false
  }
}

function otherLog(location: DatabaseLocation, kind: string, how: string): UsageError {
  return new UsageError(
    `the database at ${location.shown} keeps its log in ${kind}; open it ${how}`,
  )
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
