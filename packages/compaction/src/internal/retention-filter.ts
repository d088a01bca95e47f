import { compareRanges } from '@firn/bytes'
import {
  DROP,
  KEEP,
  KeyRetention,
  KIND_DELETE,
  type RecordCursor,
  type RetentionDecision,
  tableIdAt,
} from '@firn/mvcc'
import type { VersionFilter } from '@firn/sst/store'
import type { MergePlan, OtherFile } from '../plan.js'

interface TableRetention {
  readonly retention: KeyRetention
  readonly outside: OutsideFiles
}

/** Applies each table's retention to a merge, and drops the records of dropped tables. */
export class RetentionFilter implements VersionFilter {
  dropped = 0
  readonly #tables: ReadonlyMap<number, TableRetention>
  readonly #flushedTimestamp: number
  #tableId = -1
  #table: TableRetention | undefined

  constructor(plan: MergePlan) {
    this.#flushedTimestamp = plan.flushedTimestamp
    this.#tables = new Map(
      plan.tables.map(({ id, horizon, versions, others }) => [
        id,
        { retention: new KeyRetention({ horizon, versions }), outside: new OutsideFiles(others) },
      ]),
    )
  }

  /** The tables that lost versions, with the timestamps from which reads are complete. */
  floors(): { table: number; timestamp: number }[] {
    return [...this.#tables]
      .map(([table, { retention }]) => ({ table, timestamp: retention.floor }))
      .filter(({ timestamp }) => timestamp > 0)
  }

  begin({ keyBytes, keyStart }: RecordCursor): void {
    const tableId = tableIdAt(keyBytes, keyStart)
    if (tableId !== this.#tableId) {
      this.#tableId = tableId
      this.#table = this.#tables.get(tableId)
    }
    this.#table?.retention.begin()
  }

  keep(cursor: RecordCursor): RetentionDecision {
    const table = this.#table
    let decision: RetentionDecision = DROP
    if (table !== undefined) {
      const { kind, timestamp } = cursor
      const { retention, outside } = table
      const bottommost =
        kind === KIND_DELETE &&
        timestamp <= retention.horizon &&
        timestamp <= this.#flushedTimestamp &&
        !outside.holdsOlder(cursor)
      decision = retention.keep(timestamp, kind, bottommost)
    }
    if (decision !== KEEP) this.dropped++
    return decision
  }

  /** Called when a delete that waited for an older version of its key was written after all. */
  reinstated(): void {
    this.dropped--
  }
}

/** The files that a merge doesn't read. Must be asked with keys in ascending order. */
class OutsideFiles {
  /** By smallest key. */
  readonly #files: OtherFile[]
  #next = 0
  /** Files that begin at or before the last key, and don't end before it. */
  #around: OtherFile[] = []

  constructor(files: readonly OtherFile[]) {
    this.#files = [...files].sort((a, b) =>
      compareRanges(a.smallest, 0, a.smallest.length, b.smallest, 0, b.smallest.length),
    )
  }

  /** Whether one of them may hold an older version of the cursor's key. */
  holdsOlder({ keyBytes, keyStart, keyEnd, timestamp }: RecordCursor): boolean {
    for (; this.#next < this.#files.length; this.#next++) {
      const file = this.#files[this.#next] as OtherFile
      const { smallest } = file
      if (compareRanges(smallest, 0, smallest.length, keyBytes, keyStart, keyEnd) > 0) break
      this.#around.push(file)
    }
    if (this.#around.length === 0) return false
    this.#around = this.#around.filter(
      ({ largest }) => compareRanges(largest, 0, largest.length, keyBytes, keyStart, keyEnd) >= 0,
    )
    return this.#around.some(({ minTimestamp }) => minTimestamp < timestamp)
  }
}
