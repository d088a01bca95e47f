import { fileBaseVersion, sstPrefix } from '@firn/manifest'
import type { ObjectStore } from '@firn/object-store'
import type { Logger } from '../../open-options.js'
import type { FileCache } from '../files/file-cache.js'

export interface OrphanSweepOptions {
  store: ObjectStore
  incarnation: string
  files: FileCache
  logger: Logger | undefined
  /** Newest version when the database was opened: this process bases its files on later ones. */
  openedAt: number
}

/**
 * Deletes the files that an earlier process wrote but, because it crashed, never named in an entry.
 * Only for the one process that may write to the database. It runs after the first flush, and again
 * until it succeeds: opening doesn't wait for it, and a database without writes doesn't need it. An
 * orphan of the very version that the database was opened at can't be told from a file of this
 * process, and is left to the next process.
 */
export class OrphanSweep {
  readonly #options: OrphanSweepOptions
  #done = false

  constructor(options: OrphanSweepOptions) {
    this.#options = options
  }

  /** False if it failed. */
  async run(): Promise<boolean> {
    if (this.#done) return true
    const { store, incarnation, files, logger, openedAt } = this.#options
    try {
      const orphans: string[] = []
      for await (const { key } of store.list({ prefix: sstPrefix(incarnation) })) {
        const id = /\/([^/]+)\.sst$/.exec(key)?.[1]
        if (id !== undefined && !files.holds(id) && (fileBaseVersion(id) ?? openedAt) < openedAt)
          orphans.push(key)
      }
      if (orphans.length > 0) await store.delete(orphans)
      this.#done = true
      return true
    } catch (error) {
      logger?.warn('files of an earlier crash could not be deleted', { error })
      return false
    }
  }
}
