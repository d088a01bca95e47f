import { compareRanges } from '@firn/bytes'
import type { TimeSlice } from '@firn/env'
import { END, MAX_TIMESTAMP, NOT_RESIDENT, PENDING, type RecordCursor } from '@firn/mvcc'
import { LevelCursor } from '../files/level-cursor.js'
import { MemtableCursor } from '../memtable/memtable-cursor.js'
import { type KeyBounds, overlaps } from '../read/key-bounds.js'
import { PointLookup } from '../view/point-lookup.js'
import type { TableView } from '../view/table-view.js'
import type { View } from '../view/view.js'
import type { ReadSet } from './read-set.js'

/**
 * Checks whether anything that was read has been written after a timestamp. Returns the reason in
 * words, or `undefined`. The caller holds the view.
 *
 * Keys are looked up in whatever holds newer records: memtables, and files whose range and filter
 * allow the key. Ranges are searched there for the first newer record. A newer record may be gone
 * again: a delete that compaction dropped together with what it hid. Such a drop raises the floor
 * of the table's history; then the answer can't be known, and counts as changed. A delete that hid
 * nothing may be gone without a trace: it changed nothing. If log entries were truncated before
 * this process read them, everything counts as changed.
 */
export async function changedSince(
  view: View,
  reads: ReadSet,
  since: number,
  slice: TimeSlice,
): Promise<string | undefined> {
  if (since < view.knownFrom) {
    return 'the log entries that came after what was read are gone, and what they changed with them'
  }
  for (const [name, idThen] of reads.tableIds) {
    const id = view.state.tableIds.get(name)
    if (idThen !== undefined && id !== idThen) return `table ${name} was dropped meanwhile`
    const part = id === undefined ? undefined : view.table(id)
    if (part === undefined) continue
    if (part.historyFloor > since) {
      return `what was written to table ${name} since it was read is no longer known, as its history ends after that`
    }
    if (newestOf(part) <= since) continue
    const changed = `what was read of table ${name} was written to meanwhile`
    for (const key of reads.keys.tables.get(name)?.values() ?? []) {
      if (await isKeyNewer(part, key, since)) return changed
      const turn = slice.step()
      if (turn !== undefined) await turn
    }
    for (const range of reads.ranges.get(name) ?? []) {
      const bounds = range.boundsIn(part.tableId)
      if (bounds !== undefined && (await isRangeNewer(part, bounds, since, slice))) return changed
    }
  }
  return undefined
}

/** Returns the timestamp of the newest record of a table. */
function newestOf({ active, immutables, level0, levels }: TableView): number {
  let newest = active?.maxTimestamp ?? 0
  for (const { maxTimestamp } of [...immutables, ...level0, ...levels]) {
    newest = Math.max(newest, maxTimestamp)
  }
  return newest
}

async function isKeyNewer(part: TableView, key: Uint8Array, since: number): Promise<boolean> {
  const lookup = new PointLookup(part.tableId, key.length)
  lookup.set(key, MAX_TIMESTAMP)
  // Starts from `since`: parts without newer records needn't be searched.
  lookup.foundTimestamp = since
  while (part.find(lookup) === NOT_RESIDENT) await part.load(lookup, undefined)
  return lookup.foundTimestamp > since
}

async function isRangeNewer(
  part: TableView,
  bounds: KeyBounds,
  since: number,
  slice: TimeSlice,
): Promise<boolean> {
  for (const cursor of newerCursors(part, bounds, since)) {
    try {
      if (await holdsNewer(cursor, bounds, since, slice)) return true
    } finally {
      cursor.close()
    }
  }
  return false
}

function* newerCursors(part: TableView, bounds: KeyBounds, since: number): Iterable<RecordCursor> {
  for (const memtable of [part.active, ...part.immutables]) {
    if (memtable !== undefined && memtable.maxTimestamp > since) yield new MemtableCursor(memtable)
  }
  for (const { handles } of [...part.level0, ...part.levels]) {
    const newer = handles.filter(({ meta }) => meta.maxTimestamp > since && overlaps(meta, bounds))
    if (newer.length > 0) yield new LevelCursor(newer, { reverse: false })
  }
}

async function holdsNewer(
  cursor: RecordCursor,
  { lower, upper }: KeyBounds,
  since: number,
  slice: TimeSlice,
): Promise<boolean> {
  let status = cursor.seek(lower.key, 0, lower.key.length, lower.inclusive)
  for (;;) {
    while (status === PENDING) status = await cursor.load()
    if (status === END) return false
    const { keyBytes, keyStart, keyEnd } = cursor
    const order = compareRanges(keyBytes, keyStart, keyEnd, upper.key, 0, upper.key.length)
    if (order > 0 || (order === 0 && !upper.inclusive)) return false
    if (cursor.timestamp > since) return true
    const turn = slice.step()
    if (turn !== undefined) await turn
    status = cursor.next()
  }
}
