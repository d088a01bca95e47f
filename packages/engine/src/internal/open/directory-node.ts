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

// Imported where there is Node, in place of directory-portable.js: see "imports" in package.json.

/** Told of what a user should know, and need not act on. */
type Warn = (message: string, error: unknown) => void

/** A path as it is meant now, wherever the process goes later. `what` is what messages call it. */
export function absoluteDirectory(directory: string, what: string): string {
  return absolutePath(directory, what)
}

/** The objects of a directory. */
export function openDirectory(directory: string, env: Env, onWarning?: Warn): ObjectStore {
  return new FsObjectStore(directory, { env, onWarning })
}

/** The log of a directory. */
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

/** A client as the DynamoDB packages want it: connections are kept, and bounded in number. */
export async function newDynamoDbClient(): Promise<DynamoDbCommitLogOptions['client']> {
  const { createDynamoDbClient } = await import('@firn/manifest-dynamodb/node')
  return createDynamoDbClient()
}

/** A thread that works on a directory's files. It is started by the first work that it gets. */
export function makeWorker(place: WorkerPlace): WorkerThread {
  return new WorkerHost(place)
}

/** The cache in a directory. Nothing is read or made before its first use. */
export function openDiskCache(
  { directory, bytes }: { directory: string; bytes: number },
  env: Env,
  fileSystem: FileSystem | undefined,
): DiskCache {
  const options = { directory, bytes, env }
  return new DiskCache(fileSystem === undefined ? options : { ...options, fileSystem })
}

/** What is done at the end of the process, or of the thread. */
const atEnd: Set<() => void> = new Set()

/** One listener for all: Node warns of more than ten. */
function onExit(): void {
  for (const run of atEnd) run()
}

/**
 * Has `run` called when the process ends by itself, by `process.exit` or an error that nobody
 * catches; not by a signal. Nothing asynchronous is done after it. Returns how to take it back.
 */
export function atProcessEnd(run: () => void): () => void {
  if (atEnd.size === 0) process.on('exit', onExit)
  atEnd.add(run)
  return () => {
    atEnd.delete(run)
    if (atEnd.size === 0) process.off('exit', onExit)
  }
}
