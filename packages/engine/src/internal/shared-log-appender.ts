import { type Env, type FirnError, ulid } from '@firn/env'
import { appendSettled, type CommitLog, conflictOf } from '@firn/manifest'
import type { TimestampClock } from '@firn/mvcc'
import { CommitConflictError } from '../errors.js'
import type { Commit } from '../write-options.js'
import type { CommitGroup } from './commit-group.js'
import type { VersionSet } from './version-set.js'

/** How often a group is tried at the next version before its writers are told. */
const MAX_ATTEMPTS = 100

export interface SharedLogAppenderOptions {
  env: Env
  log: CommitLog
  versions: VersionSet
  clock: TimestampClock
  /** Reads the log up to its end, into `versions`. */
  catchUp: () => Promise<void>
  /** Why nothing is to be appended any more, as soon as that is so. */
  stopped: () => FirnError | undefined
}

/**
 * Appends to a log that other processes append to as well: an append that loses its version to another
 * reads what was committed meanwhile, and tries the next version.
 */
export class SharedLogAppender {
  readonly #options: SharedLogAppenderOptions

  constructor(options: SharedLogAppenderOptions) {
    this.#options = options
  }

  /**
   * Appends one group; gives where it came to stand. Throws `CommitConflictError` where it doesn't apply
   * any more to what others committed, `CommitUnknownError` where nobody can tell whether it is in the
   * log, and what `stopped` gives.
   */
  async append(group: CommitGroup): Promise<Commit> {
    const { env, log, versions, clock, catchUp } = this.#options
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      await this.#check(group)
      const { state } = versions
      group.rebase(state)
      const conflict = group.missingTable(state) ?? conflictOf(state, group.edits)
      if (conflict !== undefined) throw new CommitConflictError(conflict)
      const commit = { version: state.version + 1, timestamp: clock.next(state.timestamp) }
      const entry = { ...commit, token: ulid(env), payload: group.payload() }
      const { appended } = await appendSettled(log, entry, { env })
      if (appended) return commit
      await catchUp()
    }
    throw new CommitConflictError(
      `other processes were first at ${MAX_ATTEMPTS} versions in a row; try again, or write in larger batches`,
      { retryable: true },
    )
  }

  /** Holds the group against the newest state, however long that takes. */
  async #check(group: CommitGroup): Promise<void> {
    const { versions } = this.#options
    for (;;) {
      // Once the database is closed there is nothing left that it could be held against.
      this.#assertGoing()
      const { version } = versions.state
      await group.check(versions)
      this.#assertGoing()
      if (version === versions.state.version) return
    }
  }

  #assertGoing(): void {
    const reason = this.#options.stopped()
    if (reason !== undefined) throw reason
  }
}
