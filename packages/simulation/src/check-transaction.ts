import type { Change, Seen, TransactionReads, Write } from './history.js'
import { isInRange } from './key-range.js'
import { ownOf } from './own-writes.js'
import type { Replay, Timeline } from './replay.js'

type Shows = (seen: Seen, version: number, timeline: Timeline) => boolean

/**
 * Returns what is wrong with a transaction that has this version. If it is serializable, everything
 * it read must hold in the version before, and no earlier transaction of its entry may touch that.
 * With snapshot isolation, no other writer may have written its keys since its snapshot, or dropped
 * their tables.
 */
export function problemsOfTransaction(
  who: string,
  version: number,
  { changes }: Write,
  { isolation, version: snapshot, reads }: TransactionReads,
  replay: Replay,
  shows: Shows,
): string[] {
  if (snapshot >= version) return [`${who} has version ${version}, but read ${snapshot}`]
  const before = precedingChanges(changes, replay.changesOf(version))
  if (isolation === 'serializable') {
    const changed = reads.filter(
      (seen) => !shows(seen, version - 1, replay) || before.some((change) => touches(change, seen)),
    )
    return changed.map(
      (seen) =>
        `${who} read version ${snapshot}, and has version ${version}, though this was no longer so: ${JSON.stringify(seen)}`,
    )
  }
  const tables = [...new Set(changes.map(({ table }) => table))]
  const gone = tables.find((table) => {
    const id = replay.idOf(table, snapshot)
    return id !== undefined && replay.idOf(table, version) !== id
  })
  if (gone !== undefined) {
    return [
      `${who} read version ${snapshot}, and has version ${version}, though ${gone} was dropped`,
    ]
  }
  const own = new Set(changes.map(nameOf))
  for (let between = snapshot + 1; between <= version; between++) {
    const others = between === version ? before : replay.changesOf(between)
    // A table that was created after the snapshot may have been dropped again.
    const lost = others.find(
      (change) =>
        own.has(nameOf(change)) &&
        replay.idOf(change.table, between) === replay.idOf(change.table, version) &&
        !changesNothing(change, between, replay),
    )
    if (lost === undefined) continue
    return [
      `${who} read version ${snapshot}, and has version ${version}, though ${nameOf(lost)} was written at ${between}`,
    ]
  }
  return []
}

/**
 * A delete of a missing key conflicts with nothing: compaction drops it, and no read can show it.
 */
function changesNothing({ table, key, value }: Change, version: number, replay: Replay): boolean {
  return value === undefined && replay.valueAt(table, key, version - 1, version) === undefined
}

/** The changes in an entry before those of one of its writers. */
function precedingChanges(own: readonly Change[], all: readonly Change[]): readonly Change[] {
  const names = new Set(own.map((change) => `${nameOf(change)}=${change.value}`))
  const first = all.findIndex((change) => names.has(`${nameOf(change)}=${change.value}`))
  return all.slice(0, Math.max(0, first))
}

function touches({ table, key }: Change, seen: Seen): boolean {
  if (!('table' in seen) || seen.table !== table) return false
  // The transaction's own write hid the other one.
  if (ownOf(seen)?.has(key) === true) return false
  if (seen.kind === 'values') return seen.keys.includes(key)
  if (seen.kind === 'count') return isInRange(key, seen.range)
  if (seen.kind !== 'rows' || !isInRange(key, seen.range)) return false
  // Only the part that was read counts.
  const { limit = Number.POSITIVE_INFINITY, reverse } = seen.range
  const last = seen.rows.at(-1)?.[0]
  if (seen.whole && seen.rows.length < limit) return true
  return last !== undefined && (reverse ? key >= last : key <= last)
}

function nameOf({ table, key }: Change): string {
  return `${table}/${key}`
}
