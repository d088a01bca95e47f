import type { TimeSlice } from '@firn/env'
import type { TakenMoment } from '../arguments/moment.js'
import type { TableIdentity } from '../view/table-identity.js'
import type { View } from '../view/view.js'

/** A view, and the timestamp to read it at. The receiver releases the view. */
export interface ReadPoint {
  view: View
  timestamp: number
}

/** The source of a table's reads: the present of a database, or a snapshot of it. */
export interface ReadSource {
  /** Returns the view to read now. Throws `ClosedError` after close. */
  view(): View
  /** The timestamp to read `view()` at: `MAX_TIMESTAMP` for the present. */
  readonly timestamp: number
  /** Decides when reads answered from memory give others a turn. */
  readonly slice: TimeSlice
  /** The most rows of a page of a scan. */
  readonly pageRows: number
  /** True if others may have committed since this process last looked. */
  isStale(): boolean
  /** Reads the log up to its end. */
  refresh(signal: AbortSignal | undefined): Promise<void>
  /**
   * Reads the log for the files that replaced a missing file of the view `read` or of a later one,
   * unless that was done meanwhile. Returns false if nothing replaced it: then the file should
   * exist.
   */
  refreshFiles(read: View, signal: AbortSignal | undefined): Promise<boolean>
  /**
   * Throws `SnapshotExpiredError` if a table that this source shows is missing from the view it is
   * read from.
   */
  assertHas(table: TableIdentity, view: View): void
  /** Returns the present (or the snapshot) as a point that later writes don't change. */
  hold(): ReadPoint
  /**
   * Returns a view on the files of now, with one more holder, for a read that began with `before`,
   * which the caller holds: it shows no writes of a transaction that `before` doesn't show.
   */
  holdAgain(before: View): View
  /** Returns the point of a past moment, at or before `timestamp`. */
  holdAt(moment: TakenMoment, signal: AbortSignal | undefined): Promise<ReadPoint>
}

/** The present of a database, from which snapshots are taken. */
export interface LiveSource extends ReadSource {
  readonly isOpen: boolean
  /** Returns the timestamp of the newest commit at or before a moment. */
  timestampOf(moment: TakenMoment, signal: AbortSignal | undefined): Promise<number>
}
