import { type LocatedParts, locateParts } from '@firn/engine/parts'
import type { Env } from '@firn/env'
import { openingFailure } from './database-access.js'
import type { DatabaseLocation } from './location.js'

/**
 * Locates the parts of a database for commands that look below the engine. Reads nothing yet.
 * Throws `UsageError` for an invalid location, and for one whose parts exist in one process only.
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
