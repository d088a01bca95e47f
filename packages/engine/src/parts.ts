import type { CommitLog } from '@firn/commit-log'
import { InvalidArgumentError, systemEnv } from '@firn/env'
import { openRoot } from '@firn/manifest'
import type { ObjectStore } from '@firn/object-store'
import { assertHasBegun } from './internal/open/begun-log.js'
import { locate } from './internal/open/locate.js'
import { parseLocation } from './internal/open/location.js'
import type { OpenOptions } from './open-options.js'

/** The parts of a database, for tools that look below the engine. For reading only. */
export interface LocatedParts {
  readonly store: ObjectStore
  /**
   * The log's kind, as the `log` parameter of a location names it: 'file', 'objects',
   * 'dynamodb:TABLE'.
   */
  readonly log: string | undefined
  /**
   * Returns the id of the database that exists now. Throws `DatabaseNotFoundError` if none does.
   */
  findIncarnation(): Promise<string>
  /**
   * Opens the log; the caller closes it. Throws `CorruptionError` if the log is empty although the
   * database has begun one: it is in another account, region or endpoint, or its table was deleted.
   */
  openLog(incarnation: string): Promise<CommitLog>
  close(): Promise<void>
}

/**
 * Returns the parts of the database at a location, without reading anything yet. Throws
 * `InvalidArgumentError` for a location that names no database, and for `memory:`, whose parts
 * exist only in the process that opened it.
 */
export async function locateParts(
  location: string,
  options: Pick<OpenOptions, 'env'> = {},
): Promise<LocatedParts> {
  if (parseLocation(location).kind === 'memory') {
    throw new InvalidArgumentError(
      'a database in memory has no parts to look into; name one in a directory or in S3',
    )
  }
  const located = await locate(location, { ...options, mode: 'read' })
  const { store, makeLog, log, place, logIsApart = false, release } = located
  return {
    store,
    log,
    findIncarnation: async () => {
      const { incarnation } = await openRoot(store, {
        env: options.env ?? systemEnv,
        createIfMissing: false,
        log,
        place,
      })
      return incarnation
    },
    openLog: async (incarnation) => {
      const opened = await makeLog(incarnation)
      try {
        if (logIsApart) await assertHasBegun(opened, store, incarnation)
        return opened
      } catch (error) {
        await opened.close()
        throw error
      }
    },
    close: async () => {
      await store.close()
      await release?.()
    },
  }
}
