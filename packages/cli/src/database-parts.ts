import { type LocatedParts, locateParts } from '@firn/engine/parts'
import type { Env } from '@firn/env'
import { openingFailure } from './database-access.js'
import type { DatabaseLocation } from './location.js'

/**
 * What a database is made of, for commands that look below the engine. Nothing is read yet. Throws
 * `UsageError` for a location that names none, or one whose parts only one process has.
 */
export async function partsOf(location: DatabaseLocation, clock: Env): Promise<LocatedParts> {
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
