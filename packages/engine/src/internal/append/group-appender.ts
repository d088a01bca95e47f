import type { Commit } from '../../write-options.js'
import type { CommitGroup } from './commit-group.js'

/** Puts groups into a log. */
export interface GroupAppender {
  /** How long to wait before the next group is closed, in milliseconds. */
  pauseMs(): number
  /** Hands visible groups to the log, if nothing is ahead of them. `append` says what came of it. */
  begin(groups: readonly CommitGroup[]): void
  /**
   * Appends groups, one after the other, and reports what became of each. Never rejects. After each
   * group others get a turn of the event loop, if it is time for one.
   */
  append(groups: readonly CommitGroup[], outcomes: GroupOutcomes): Promise<void>
}

/** Is told what becomes of groups. */
export interface GroupOutcomes {
  /** Whether nothing is to be appended any more. */
  readonly isStopped: boolean
  /** The group is in the log. */
  applied(group: CommitGroup, commit: Commit): void
  /** The group isn't in the log. Whatever comes after it goes on. */
  refused(group: CommitGroup, error: unknown): void
  /** The log can't be appended to any more. These groups were under way. */
  stop(cause: unknown, groups: readonly CommitGroup[]): void
}
