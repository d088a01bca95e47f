import type { View } from '../view/view.js'
import type { KeySet } from './key-set.js'

/** What a commit depends on: it may be made only while this is unchanged. */
export interface CommitGuard {
  /** The keys that the commit writes. */
  readonly writes: KeySet
  /** Whether other writes of the process wait for this commit: see `WriteHold`. */
  readonly holdsWrites: boolean
  /**
   * Looks at what was committed since the last call, up to `timestamp`. `view` shows it, and the
   * caller holds `view`. Looks as well at `before`, the keys that the same entry writes before this
   * commit. Throws `CommitConflictError` if any of that contradicts the commit.
   */
  check(view: View, timestamp: number, before: KeySet): Promise<void>
}
