import {
  type CommitLog,
  type Leases,
  MemoryCommitLog,
  MemoryLogStorage,
  ObjectLeases,
} from '@firn/commit-log'
import { systemEnv } from '@firn/env'
import { MemoryObjectStore, MeteredObjectStore, type ObjectStore } from '@firn/object-store'
import type { FileSystem } from '@firn/vfs'
import { absoluteDirectory, openDirectory, openDirectoryLog } from '#directory'
import type { DatabaseParts, OpenOptions } from '../../open-options.js'
import { AWS_PRICES } from '../../prices.js'
import type { RequestStats } from '../../request-stats.js'
import { parseLocation, shown } from './location.js'

/** A store and a log, ready to be opened. */
export interface Located {
  store: ObjectStore
  /** What to call it in messages. */
  place?: string | undefined
  /** Counts the requests that store and log make. */
  meter: () => RequestStats
  makeLog: (incarnation: string) => CommitLog | Promise<CommitLog>
  /** Where the log is, as the database's root says it; `undefined` where only the caller knows. */
  log?: string | undefined
  /**
   * Whether the log is a service of its own: one of the same name may answer somewhere else, and
   * know of no entry.
   */
  logIsApart?: boolean | undefined
  /** Where processes agree on who does what work on a log that they share. */
  makeLeases?: ((incarnation: string) => Leases) | undefined
  /**
   * What opening may have to read of the log besides a checkpoint; past that, records go into
   * files. Default: a memtable's size, whatever the number of entries.
   */
  tail?: { bytes: number; entries: number } | undefined
  /**
   * Finds out whether the store keeps to the conditions of writes, where a database of many writers
   * depends on it. `created`: its root was made just now.
   */
  assertConditions?: (created: boolean, signal: AbortSignal | undefined) => Promise<void>
  /** Whether the store and the log are this database's to close: not those that were handed in. */
  ownsStore: boolean
  ownsLog: boolean
  /** Lets go of what store and log share. */
  release?: (() => Promise<void>) | undefined
  /** The system calls for the disk's part of the cache. Default: Node's. */
  cacheFiles?: FileSystem | undefined
  /** Where another thread can open the same store; `undefined` where none can. */
  directory: string | undefined
  /** Which directory that is, for another thread to make sure of. Known once the store was read. */
  directoryId?: (() => string | undefined) | undefined
}

/** An entry of a log in objects is a file, which takes some 50 µs to read. */
const OBJECTS_TAIL = { bytes: 32 * 1024 * 1024, entries: 2000 }

/** The memory databases of this process, by name. */
const named: Map<string, { store: ObjectStore; storage: MemoryLogStorage }> = new Map()

/** Finds the parts that a location names. Nothing is read or written yet. */
export async function locate(
  location: string | DatabaseParts,
  options: OpenOptions,
): Promise<Located> {
  if (typeof location !== 'string') return fromParts(location)
  return { ...(await locateUrl(location, options)), place: shown(location) }
}

async function locateUrl(location: string, options: OpenOptions): Promise<Located> {
  const parsed = parseLocation(location)
  switch (parsed.kind) {
    case 'memory':
      return inMemory(parsed.name)
    case 'file':
      // At once: the process may go to another directory while it waits.
      return inDirectory(
        absoluteDirectory(parsed.directory, 'the directory of a location'),
        parsed.log,
        options,
      )
    case 's3': {
      const { locateS3 } = await import('./locate-s3.js')
      const { env = systemEnv, prices = AWS_PRICES } = options
      return locateS3(parsed, { env, prices })
    }
  }
}

/** A store whose requests nobody charges for. */
function counted(store: ObjectStore): Pick<Located, 'store' | 'meter'> {
  const metered = new MeteredObjectStore(store)
  return { store: metered, meter: () => ({ ...metered.snapshot(), dollars: 0 }) }
}

function fromParts(parts: DatabaseParts): Located {
  const { store, log, leases, cacheFiles } = parts
  const directory = (store as { directory?: unknown }).directory
  return {
    ...counted(store),
    makeLog: typeof log === 'function' ? log : () => log,
    makeLeases: leases === undefined || typeof leases === 'function' ? leases : () => leases,
    cacheFiles,
    ownsStore: false,
    ownsLog: typeof log === 'function',
    directory: typeof directory === 'string' ? directory : undefined,
    directoryId: () => (store as { directoryId?: string }).directoryId,
  }
}

function inMemory(name: string | undefined): Located {
  const common = { ownsLog: true, directory: undefined }
  if (name === undefined) {
    const makeLog = (): CommitLog => new MemoryCommitLog()
    return { ...common, ...counted(new MemoryObjectStore()), makeLog, ownsStore: true }
  }
  let database = named.get(name)
  if (database === undefined) {
    database = { store: new MemoryObjectStore(), storage: new MemoryLogStorage() }
    named.set(name, database)
  }
  const { store, storage } = database
  const makeLog = (): CommitLog => new MemoryCommitLog({ storage })
  // The store outlives this handle: others may have the same name open.
  return { ...common, ...counted(store), makeLog, ownsStore: false }
}

function inDirectory(directory: string, kind: 'file' | 'objects', options: OpenOptions): Located {
  const env = options.env ?? systemEnv
  // The store and the log lie on one file system: what both say is said once.
  let warned = false
  const onWarning = (message: string, error: unknown): void => {
    if (!warned) options.logger?.warn(message, { error })
    warned = true
  }
  const store = openDirectory(directory, env, onWarning)
  const mode = options.mode ?? 'write'
  const makeLog = (incarnation: string): Promise<CommitLog> =>
    openDirectoryLog({ directory, kind, store, incarnation, env, mode, onWarning })
  const isShared = kind === 'objects'
  return {
    ...counted(store),
    makeLog,
    log: kind,
    tail: isShared ? OBJECTS_TAIL : undefined,
    makeLeases: isShared
      ? (incarnation) => new ObjectLeases(store, incarnation, { env })
      : undefined,
    ownsStore: true,
    ownsLog: true,
    directory,
    directoryId: () => (store as { directoryId?: string }).directoryId,
  }
}
