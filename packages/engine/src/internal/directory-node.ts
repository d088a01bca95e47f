import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { CompactionWorker } from '@firn/compaction/worker'
import { type Env, InvalidArgumentError } from '@firn/env'
import { type CommitLog, ObjectCommitLog } from '@firn/manifest'
import { FileCommitLog } from '@firn/manifest/file'
import type { ObjectStore } from '@firn/object-store'
import { FsObjectStore } from '@firn/object-store/fs'
import { FlushThread } from './flush-thread.js'
import type { Threads } from './threads.js'

// Imported where there is Node, in place of directory-portable.js: see "imports" in package.json.

/** The objects of a directory. */
export function openDirectory(directory: string, env: Env): ObjectStore {
  return new FsObjectStore(directory, { env })
}

/**
 * The log of a directory. Throws `InvalidArgumentError` where the database has the other kind: the
 * two would not see each other's commits.
 */
export async function openDirectoryLog(options: {
  directory: string
  kind: 'file' | 'objects'
  store: ObjectStore
  incarnation: string
  env: Env
  mode: 'write' | 'read'
}): Promise<CommitLog> {
  const { directory, kind, store, incarnation, env, mode } = options
  const logs = join(directory, 'log')
  if (kind === 'objects') {
    if (existsSync(logs) && readdirSync(logs).some((name) => name.endsWith('.log'))) {
      throw new InvalidArgumentError(
        `the database in ${directory} keeps its log in a file; open it without ?log=objects`,
      )
    }
    return new ObjectCommitLog(store, incarnation)
  }
  if (existsSync(join(logs, incarnation))) {
    throw new InvalidArgumentError(
      `the database in ${directory} keeps its log in objects; open it with ?log=objects`,
    )
  }
  return FileCommitLog.open(directory, { env, mode })
}

/** Threads that work on a directory's files. They are started by the first work they get. */
export function makeThreads(
  directory: string,
  incarnation: string,
  blockBytes: number | undefined,
): Threads {
  return {
    flush: new FlushThread(directory),
    compaction: new CompactionWorker({
      store: { kind: 'fs', directory },
      incarnation,
      ...(blockBytes === undefined ? {} : { blockBytes }),
    }),
  }
}
