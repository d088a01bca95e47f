import { type DatabaseState, liveFiles } from '@firn/manifest'
import type { ObjectStore } from '@firn/object-store'
import { sstIdOf, sstPrefix } from './sst-objects.js'

/**
 * Deletes the files that a crash left behind: written by an earlier process, named by no entry. Only
 * for the one process that may write to the database. `before` is the version at which it was
 * opened: files of this process have a base at or after it, and are its own business.
 */
export async function sweepOrphans(
  store: ObjectStore,
  incarnation: string,
  state: DatabaseState,
  before: number,
): Promise<number> {
  const live = new Set<string>()
  for (const { id } of liveFiles(state)) live.add(id)
  const orphans: string[] = []
  for await (const { key } of store.list({ prefix: sstPrefix(incarnation) })) {
    const id = sstIdOf(key)
    if (id !== undefined && !live.has(id) && baseOf(id) < before) orphans.push(key)
  }
  if (orphans.length > 0) await store.delete(orphans)
  return orphans.length
}

function baseOf(id: string): number {
  return Number(id.slice(0, id.indexOf('-')))
}
