import { InvalidArgumentError } from '@firn/env'
import { type CommitLog, openRoot } from '@firn/manifest'
import type { ObjectStore } from '@firn/object-store'
import { locate } from './internal/locate.js'
import { parseLocation } from './internal/location.js'
import type { OpenOptions } from './open-options.js'

/** What a database is made of, for tools that look below the engine. For reading only. */
export interface LocatedParts {
  readonly store: ObjectStore
  /** The id of the database that is there now. Throws `DatabaseNotFoundError` where there is none. */
  findIncarnation(): Promise<string>
  /** Its log, which is the caller's to close. */
  openLog(incarnation: string): Promise<CommitLog>
  close(): Promise<void>
}

/**
 * The parts of the database at a location; nothing is read yet. Throws `InvalidArgumentError` for a
 * location that names none, and for `memory:`, whose parts are nowhere else.
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
  const { store, makeLog, log, place, release } = await locate(location, {
    ...options,
    mode: 'read',
  })
  return {
    store,
    findIncarnation: async () => {
      const { incarnation } = await openRoot(store, {
        ...options,
        createIfMissing: false,
        log,
        place,
      })
      return incarnation
    },
    openLog: async (incarnation) => makeLog(incarnation),
    close: async () => {
      await store.close()
      await release?.()
    },
  }
}
