import { DiskCache } from '@firn/block-cache/disk'
import { type CommitLog, ObjectCommitLog } from '@firn/commit-log'
import { FileCommitLog } from '@firn/commit-log/file'
import type { Env } from '@firn/env'
import type { DynamoDbCommitLogOptions } from '@firn/manifest-dynamodb'
import type { ObjectStore } from '@firn/object-store'
import { FsObjectStore } from '@firn/object-store/fs'
import { absolutePath, type FileSystem } from '@firn/vfs'
import type { WorkerThread } from '../files/threads.js'
import { WorkerHost } from '../files/worker-host.js'
import type { WorkerPlace } from '../files/worker-messages.js'

// Imported on Node.js instead of directory-portable.js: see "imports" in package.json.

/** Receives warnings that a user should know but needn't act on. */
type Warn = (message: string, error: unknown) => void

/**
 * Returns an absolute path, which stays the same if the process changes its working directory.
 * `what` names the path in messages.
 */
export function absoluteDirectory(directory: string, what: string): string {
  return absolutePath(directory, what)
}

/** Opens the objects of a directory. */
export function openDirectory(directory: string, env: Env, onWarning?: Warn): ObjectStore {
  return new FsObjectStore(directory, { env, onWarning })
}

/** Opens the log of a directory. */
export async function openDirectoryLog(options: {
  directory: string
  kind: 'file' | 'objects'
  store: ObjectStore
  incarnation: string
  env: Env
  mode: 'write' | 'read'
  onWarning?: Warn | undefined
}): Promise<CommitLog> {
  const { directory, kind, store, incarnation, env, mode, onWarning } = options
  if (kind === 'objects') return new ObjectCommitLog(store, incarnation, { env })
  return FileCommitLog.open(directory, { env, mode, onWarning })
}

/** Creates a client for the DynamoDB packages: it keeps connections, and bounds their number. */
export async function newDynamoDbClient(): Promise<DynamoDbCommitLogOptions['client']> {
  const { createDynamoDbClient } = await import('@firn/manifest-dynamodb/node')
  return createDynamoDbClient()
}

/** Returns a thread that works on a directory's files. Its first work starts it. */
export function makeWorker(place: WorkerPlace): WorkerThread {
  return new WorkerHost(place)
}

/** Returns the cache in a directory. Nothing is read or created before its first use. */
export function openDiskCache(
  { directory, bytes }: { directory: string; bytes: number },
  env: Env,
  fileSystem: FileSystem | undefined,
): DiskCache {
  const options = { directory, bytes, env }
  return new DiskCache(fileSystem === undefined ? options : { ...options, fileSystem })
}

/** Calls to make at the end of the process, or of the thread. */
const atEnd: Set<() => void> = new Set()

/** One listener for all, because Node warns about more than ten. */
function onExit(): void {
  for (const run of atEnd) run()
}

/**
 * Calls `run` when the process ends by itself, by `process.exit` or by an uncaught error; not when
 * a signal ends it. `run` can do nothing asynchronous. Returns a function that cancels the call.
 */
export function atProcessEnd(run: () => void): () => void {
  if (atEnd.size === 0) process.on('exit', onExit)
  atEnd.add(run)
  return () => {
    atEnd.delete(run)
    if (atEnd.size === 0) process.off('exit', onExit)
  }
}
