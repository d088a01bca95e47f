import type { CommitLog } from '@firn/commit-log'
import { applyEntry, emptyState, liveFiles, readNewestCheckpoint } from '@firn/manifest'
import type { ObjectStore } from '@firn/object-store'

// A writer may truncate the log between a look at the checkpoints and one at the log.
const TRIES = 5

/** The database right now. */
export interface Present {
  /** The ids of the files that it needs. */
  files: ReadonlySet<string>
  /** The version at which its log ends. */
  version: number
}

/** What a database is right now; `undefined` if its log is damaged. */
export async function presentOf(
  store: ObjectStore,
  incarnation: string,
  log: CommitLog,
): Promise<Present | undefined> {
  for (let tries = 0; tries < TRIES; tries++) {
    try {
      let state = (await readNewestCheckpoint(store, incarnation)) ?? emptyState()
      let version = 0
      // A log that was set back ends before its checkpoint.
      for await (const entry of log.readAfter(Math.max(0, state.version - 1))) {
        version = entry.version
        if (version > state.version) state = applyEntry(state, entry)
      }
      const files = new Set<string>()
      for (const { id } of liveFiles(state)) files.add(id)
      return { files, version }
    } catch {
      // Damage that stays is listed by those who look for it.
    }
  }
  return undefined
}
