import type { Tree } from '../view/tree.js'
import type { KeySet } from './key-set.js'

/** What a commit depends on: it may be made only while this is unchanged. */
export interface CommitGuard {
  /** The keys that the commit writes. */
  readonly writes: KeySet
  /** Whether other writes of the process wait for this commit: see `WriteHold`. */
  readonly holdsWrites: boolean
  /**
   * Looks at what was committed since the last call, up to `timestamp`. `tree` shows it, and the
   * caller holds `tree`. Looks as well at `before`, the keys that the same entry writes before this
   * commit. Throws `CommitConflictError` if any of that contradicts the commit.
   */
  check(tree: Tree, timestamp: number, before: KeySet): Promise<void>
}
