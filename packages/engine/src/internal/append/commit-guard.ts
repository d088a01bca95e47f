import type { View } from '../view/view.js'
import type { KeySet } from './key-set.js'

/** A condition of a commit, which may be made only while it holds. */
export interface CommitGuard {
  /** The keys that the commit writes. */
  readonly writes: KeySet
  /** Whether other writes of the process wait for this commit: see `WriteHold`. */
  readonly holdsWrites: boolean
  /**
   * Checks what was committed since the last call, up to `timestamp`. `view` shows it, and the
   * caller holds `view`. Also checks `before`, the keys that the same entry writes before this
   * commit. Throws `CommitConflictError` if any of it contradicts the commit.
   */
  check(view: View, timestamp: number, before: KeySet): Promise<void>
}
