import type { Commit } from '../../write-options.js'
import type { CommitGroup } from './commit-group.js'

/** Appends groups to a log. */
export interface GroupAppender {
  /** Returns how long to wait before the next group is closed, in milliseconds. */
  pauseMs(): number
  /** Hands visible groups to the log, if no group is ahead of them. `append` reports the result. */
  begin(groups: readonly CommitGroup[]): void
  /**
   * Appends groups, one after the other, and reports the outcome of each. Never rejects. After each
   * group, gives others a turn of the event loop if it is time for one.
   */
  append(groups: readonly CommitGroup[], outcomes: GroupOutcomes): Promise<void>
}

/** Receives the outcomes of groups. */
export interface GroupOutcomes {
  /** Whether appending has stopped for good. */
  readonly isStopped: boolean
  /** The group is in the log. */
  applied(group: CommitGroup, commit: Commit): void
  /** The group isn't in the log. Later groups go on. */
  refused(group: CommitGroup, error: unknown): void
  /** The log can't be appended to any more. `groups` were under way. */
  stop(cause: unknown, groups: readonly CommitGroup[]): void
}
