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
  /** Its name in messages. */
  place?: string | undefined
  /** Counts the requests to store and log. */
  meter: () => RequestStats
  makeLog: (incarnation: string) => CommitLog | Promise<CommitLog>
  /** The log's kind, as the database's root names it; `undefined` if only the caller knows. */
  log?: string | undefined
  /**
   * Whether the log is a separate service. A log of the same name may then exist elsewhere, without
   * any of this database's entries.
   */
  logIsApart?: boolean | undefined
  /** Makes the leases by which processes of a shared log divide maintenance work. */
  makeLeases?: ((incarnation: string) => Leases) | undefined
  /**
   * The most that opening should read of the log besides a checkpoint; past that, records go into
   * files. Default: a memtable's size, whatever the number of entries.
   */
  tail?: { bytes: number; entries: number } | undefined
  /**
   * Checks that the store honors conditional writes, if a database of many writers depends on it.
   * `created`: its root was created just now.
   */
  assertConditions?: (created: boolean, signal: AbortSignal | undefined) => Promise<void>
  /** Whether the database closes the store and the log: not if the caller passed them in. */
  ownsStore: boolean
  ownsLog: boolean
  /** Releases what store and log share. */
  release?: (() => Promise<void>) | undefined
  /** The system calls for the disk cache. Default: Node's. */
  cacheFiles?: FileSystem | undefined
  /** The directory where another thread can open the same store; `undefined` if none can. */
  directory: string | undefined
  /**
   * Identifies that directory, so that another thread can check it. Known once the store was read.
   */
  directoryId?: (() => string | undefined) | undefined
}

/** In a log in objects, each entry is a file, which takes some 50 µs to read. */
const OBJECTS_TAIL = { bytes: 32 * 1024 * 1024, entries: 2000 }

/** Memory databases of this process, by name. */
const named: Map<string, { store: ObjectStore; storage: MemoryLogStorage }> = new Map()

/** Finds the parts that a location names, without reading or writing anything yet. */
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
      // Resolved at once: the process may change its working directory while it waits.
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

/** A store whose requests are free. */
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
  // The store outlives this handle, because other handles may have the same name open.
  return { ...common, ...counted(store), makeLog, ownsStore: false }
}

function inDirectory(directory: string, kind: 'file' | 'objects', options: OpenOptions): Located {
  const env = options.env ?? systemEnv
  // The store and the log are on one file system: a warning that both raise is logged once.
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
