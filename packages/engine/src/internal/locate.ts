import { InvalidArgumentError, systemEnv } from '@firn/env'
import { type CommitLog, MemoryCommitLog, MemoryLogStorage } from '@firn/manifest'
import { MemoryObjectStore, type ObjectStore } from '@firn/object-store'
import { openDirectory, openDirectoryLog } from '#directory'
import type { DatabaseParts, OpenOptions } from '../open-options.js'
import { parseLocation } from './location.js'

/** A store and a log, ready to be opened. */
export interface Located {
  store: ObjectStore
  makeLog: (incarnation: string) => CommitLog | Promise<CommitLog>
  /** Whether the store and the log are this database's to close: not those that were handed in. */
  ownsStore: boolean
  ownsLog: boolean
  /** Where another thread can open the same store; `undefined` where none can. */
  directory: string | undefined
}

/** The memory databases of this process, by name. */
const named: Map<string, { store: ObjectStore; storage: MemoryLogStorage }> = new Map()

/** Finds the parts that a location names. Nothing is read or written yet. */
export function locate(location: string | DatabaseParts, options: OpenOptions): Located {
  if (typeof location !== 'string') return handedIn(location)
  const parsed = parseLocation(location)
  if (parsed.kind === 'memory') return inMemory(parsed.name)
  return inDirectory(parsed.directory, parsed.log, options)
}

function handedIn(parts: DatabaseParts): Located {
  const { store, log } = parts
  if (store === undefined || log === undefined) {
    throw new InvalidArgumentError(
      'open takes a location such as "file:./data", or { store, log } with both parts',
    )
  }
  const makeLog = typeof log === 'function' ? log : () => log
  const directory = (store as { directory?: unknown }).directory
  return {
    store,
    makeLog,
    ownsStore: false,
    ownsLog: typeof log === 'function',
    directory: typeof directory === 'string' ? directory : undefined,
  }
}

function inMemory(name: string | undefined): Located {
  if (name === undefined) {
    const makeLog = (): CommitLog => new MemoryCommitLog()
    const store = new MemoryObjectStore()
    return { store, makeLog, ownsStore: true, ownsLog: true, directory: undefined }
  }
  let database = named.get(name)
  if (database === undefined) {
    database = { store: new MemoryObjectStore(), storage: new MemoryLogStorage() }
    named.set(name, database)
  }
  const { store, storage } = database
  const makeLog = (): CommitLog => new MemoryCommitLog({ storage })
  // The store outlives this handle: others may have the same name open.
  return { store, makeLog, ownsStore: false, ownsLog: true, directory: undefined }
}

function inDirectory(directory: string, kind: 'file' | 'objects', options: OpenOptions): Located {
  const env = options.env ?? systemEnv
  const store = openDirectory(directory, env)
  const mode = options.mode ?? 'write'
  const makeLog = (incarnation: string): Promise<CommitLog> =>
    openDirectoryLog({ directory, kind, store, incarnation, env, mode })
  return { store, makeLog, ownsStore: true, ownsLog: true, directory }
}
