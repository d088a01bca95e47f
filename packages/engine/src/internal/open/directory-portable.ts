import type { DiskCache } from '@firn/block-cache/disk'
import type { CommitLog } from '@firn/commit-log'
import { type Env, InvalidArgumentError } from '@firn/env'
import type { ObjectStore } from '@firn/object-store'
import type { FileSystem } from '@firn/vfs'
import type { WorkerThread } from '../files/threads.js'

const MESSAGE =
  "file: locations need Node.js; use 'memory:', or open({ store, log }) with parts that this runtime has"

export function absoluteDirectory(directory: string, _what: string): string {
  return directory
}

export function openDirectory(_directory: string, _env: Env): ObjectStore {
  throw new InvalidArgumentError(MESSAGE)
}

export function openDirectoryLog(_options: unknown): Promise<CommitLog> {
  throw new InvalidArgumentError(MESSAGE)
}

export function newDynamoDbClient(): never {
  throw new InvalidArgumentError(
    's3: locations need Node.js; use open({ store, log, leases }) with parts that were made from clients of your own',
  )
}

export function makeWorker(_place: unknown): WorkerThread | undefined {
  return undefined
}

export function openDiskCache(
  _options: unknown,
  _env: Env,
  _fileSystem: FileSystem | undefined,
): DiskCache {
  throw new InvalidArgumentError(
    'cache.disk needs Node.js; leave it out, and give cache.memoryBytes what this runtime has',
  )
}

/** Does nothing: this runtime has no process end to listen for. */
export function atProcessEnd(_run: () => void): () => void {
  return () => {}
}
