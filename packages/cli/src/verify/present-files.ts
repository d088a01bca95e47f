import {
  applyEntry,
  type CommitLog,
  emptyState,
  liveFiles,
  readNewestCheckpoint,
} from '@firn/manifest'
import type { ObjectStore } from '@firn/object-store'

// A writer may truncate the log between a look at the checkpoints and one at the log.
const TRIES = 5

/** The ids of the files that the database needs right now; `undefined` where its log is damaged. */
export async function presentFiles(
  store: ObjectStore,
  incarnation: string,
  log: CommitLog,
): Promise<ReadonlySet<string> | undefined> {
  for (let tries = 0; tries < TRIES; tries++) {
    try {
      let state = (await readNewestCheckpoint(store, incarnation)) ?? emptyState()
      for await (const entry of log.readAfter(state.version)) state = applyEntry(state, entry)
      const ids = new Set<string>()
      for (const { id } of liveFiles(state)) ids.add(id)
      return ids
    } catch {
      // Damage that stays is listed by those who look for it.
    }
  }
  return undefined
}
