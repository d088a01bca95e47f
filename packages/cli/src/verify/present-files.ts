import type { CommitLog } from '@firn/commit-log'
import { applyEntry, emptyState, liveFiles, readNewestCheckpoint } from '@firn/manifest'
import type { ObjectStore } from '@firn/object-store'

// A writer may truncate the log after we read the checkpoints and before we read the log.
const TRIES = 5

/** The database at this moment. */
export interface Present {
  /** The ids of the files that it needs. */
  files: ReadonlySet<string>
  /** The version at which its log ends. */
  version: number
}

/** Reads what a database needs at this moment; returns `undefined` if its log is damaged. */
export async function presentOf(
  store: ObjectStore,
  incarnation: string,
  log: CommitLog,
): Promise<Present | undefined> {
  for (let tries = 0; tries < TRIES; tries++) {
    try {
      let state = (await readNewestCheckpoint(store, incarnation)) ?? emptyState()
      let version = 0
      // If a log was set back, it ends before its checkpoint.
      for await (const entry of log.readAfter(Math.max(0, state.version - 1))) {
        version = entry.version
        if (version > state.version) state = applyEntry(state, entry)
      }
      const files = new Set<string>()
      for (const { id } of liveFiles(state)) files.add(id)
      return { files, version }
    } catch {
      // Lasting damage is reported by the checks of log and files.
    }
  }
  return undefined
}
