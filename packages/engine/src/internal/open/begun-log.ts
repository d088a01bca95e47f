import { type CommitLog, entryAt } from '@firn/commit-log'
import { CorruptionError } from '@firn/env'
import { begunKey } from '@firn/manifest'
import type { ObjectStore } from '@firn/object-store'

/**
 * Throws `CorruptionError` if the database has begun a log. Call it when the log that was found has
 * no entries and is kept apart from the database's objects.
 */
export async function assertNotBegun(
  store: ObjectStore,
  incarnation: string,
  signal?: AbortSignal,
): Promise<void> {
  if ((await store.head(begunKey(incarnation), { signal })) === undefined) return
  throw new CorruptionError(
    'the log has no entries, but this database has begun one: it is in another account, region or endpoint, or its table was deleted; nothing was written',
  )
}

/** Throws `CorruptionError` if a log has no entries although the database has begun one. */
export async function assertHasBegun(
  log: CommitLog,
  store: ObjectStore,
  incarnation: string,
): Promise<void> {
  if ((await entryAt(log, 1)) === undefined) await assertNotBegun(store, incarnation)
}
