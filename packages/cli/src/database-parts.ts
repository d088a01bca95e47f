import { locateParts } from '@firn/engine/parts'
import type { Env } from '@firn/env'
import type { CommitLog } from '@firn/manifest'
import type { ObjectStore } from '@firn/object-store'
import { openingFailure } from './database-access.js'
import type { DatabaseLocation } from './location.js'

/** The object store of a database, and how to open its log, both for reading only. */
export interface DatabaseParts {
  readonly store: ObjectStore
  /** Throws `DatabaseNotFoundError` where there is no database. */
  findIncarnation(): Promise<string>
  openLog(incarnation: string): Promise<CommitLog>
  close(): Promise<void>
}

/**
 * What a database is made of, for commands that look below the engine. Nothing is read yet. Throws
 * `UsageError` for a location that names none, or one whose parts only one process has.
 */
export async function partsOf(location: DatabaseLocation, clock: Env): Promise<DatabaseParts> {
  const parts = await locateParts(location.url, { env: clock }).catch((error: unknown) => {
    throw openingFailure(error, location)
  })
  return {
    ...parts,
    async findIncarnation() {
      try {
        return await parts.findIncarnation()
      } catch (error) {
        throw openingFailure(error, location)
      }
    },
  }
}
