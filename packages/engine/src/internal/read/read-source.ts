import type { TimeSlice } from '@firn/env'
import type { TakenMoment } from '../arguments/moment.js'
import type { TableIdentity } from '../view/table-identity.js'
import type { View } from '../view/view.js'

/** A view and the timestamp to read it at. Whoever is given one releases the view. */
export interface ReadPoint {
  view: View
  timestamp: number
}

/** Where a table's reads look: the present of a database, or a snapshot of it. */
export interface ReadSource {
  /** The view to read now. Throws `ClosedError` after close. */
  view(): View
  /** What `view()` is read at: `MAX_TIMESTAMP` for the present. */
  readonly timestamp: number
  /** Reads that memory answers give others a turn by it. */
  readonly slice: TimeSlice
  /** Rows of a page of a scan, at most. */
  readonly pageRows: number
  /** True where others may have committed since this process last looked. */
  isStale(): boolean
  /** Reads the log up to its end. */
  refresh(signal: AbortSignal | undefined): Promise<void>
  /**
   * After a file of the view `read`, or of a later one, was found missing: reads the log for the
   * files that took its place, unless that was done meanwhile. False where there are none: then the
   * file should be there.
   */
  refreshFiles(read: View, signal: AbortSignal | undefined): Promise<boolean>
  /**
   * Throws `SnapshotExpiredError` where a table that this shows is gone from the view it is read
   * from.
   */
  assertHas(table: TableIdentity, view: View): void
  /** The present (or the snapshot) as a point that later writes don't change. */
  hold(): ReadPoint
  /** A moment of the past, at or before `timestamp`. */
  holdAt(moment: TakenMoment, signal: AbortSignal | undefined): Promise<ReadPoint>
}

/** The present of a database: the source that snapshots are taken of. */
export interface LiveSource extends ReadSource {
  readonly isOpen: boolean
  /** The timestamp of the newest commit at or before a moment. */
  timestampOf(moment: TakenMoment, signal: AbortSignal | undefined): Promise<number>
}
