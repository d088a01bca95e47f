import type { Change, OwnWrites, Row, Seen } from './history.js'
import type { KeyRange } from './key-range.js'
import { rowsOf, type Timeline } from './replay.js'

/** What a transaction sees: a timeline, with its own writes to one table on top. */
class OverlaidTimeline implements Timeline {
  readonly #timeline: Timeline
  readonly #table: string
  readonly #own: OwnWrites

  constructor(timeline: Timeline, table: string, own: OwnWrites) {
    this.#timeline = timeline
    this.#table = table
    this.#own = own
  }

  get version(): number {
    return this.#timeline.version
  }

  timestampOf(version: number): number | undefined {
    return this.#timeline.timestampOf(version)
  }

  versionAtTime(timestamp: number): number {
    return this.#timeline.versionAtTime(timestamp)
  }

  idOf(table: string, version: number): number | undefined {
    return this.#timeline.idOf(table, version)
  }

  tablesAt(version: number): string[] {
    return this.#timeline.tablesAt(version)
  }

  valueAt(table: string, key: string, version: number, present: number): string | undefined {
    if (table === this.#table && this.#own.has(key)) return this.#own.get(key)
    return this.#timeline.valueAt(table, key, version, present)
  }

  rowsAt(table: string, range: KeyRange, version: number, present: number): Row[] {
    if (table !== this.#table) return this.#timeline.rowsAt(table, range, version, present)
    const values = new Map<string, string | undefined>(
      this.#timeline.rowsAt(table, {}, version, present),
    )
    for (const [key, value] of this.#own) values.set(key, value)
    return rowsOf([...values.keys()].sort(), range, (key) => values.get(key))
  }

  changesOf(version: number): readonly Change[] {
    return this.#timeline.changesOf(version)
  }
}

/** Returns what the database shows to a reader that saw this. */
export function withOwn(seen: Seen, timeline: Timeline): Timeline {
  const own = ownOf(seen)
  if (own === undefined || !('table' in seen)) return timeline
  return new OverlaidTimeline(timeline, seen.table, own)
}

/** Returns the writes of its own transaction that a read saw. */
export function ownOf(seen: Seen): OwnWrites | undefined {
  return 'own' in seen && seen.own !== undefined && seen.own.size > 0 ? seen.own : undefined
}
