import type { KeySet } from './key-set.js'
import type { VersionSet } from './version-set.js'

/** What a commit depends on. */
export interface Guard {
  /** The keys that the commit writes. */
  readonly writes: KeySet
  /**
   * Looks at what was committed since it was asked last, up to the newest state, and at what shares the
   * commit and comes before it. Throws `CommitConflictError` where that contradicts it.
   */
  check(versions: VersionSet, before: KeySet): Promise<void>
}
