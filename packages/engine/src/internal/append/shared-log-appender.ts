import { appendSettled, type CommitLog, type LogEntry } from '@firn/commit-log'
import { type Env, type FirnError, isFirnError, type TimeSlice, ulid } from '@firn/env'
import { TimestampClock } from '@firn/mvcc'
import { CommitConflictError } from '../../errors.js'
import type { Commit } from '../../write-options.js'
import type { VersionSet } from '../view/version-set.js'
import type { CommitGroup } from './commit-group.js'
import type { GroupAppender, GroupOutcomes } from './group-appender.js'
import { TurnTaking } from './turn-taking.js'

/** How often a group is tried at the next version before its writers get an error. */
const MAX_ATTEMPTS = 100
/**
 * How long it is tried. An append that is under way when the time is over is still waited for: up
 * to 30 s more, until it is given up as unknown.
 */
const MAX_MS = 30_000

export interface SharedLogAppenderOptions {
  env: Env
  /** Decides when to give others a turn. */
  slice: TimeSlice
  log: CommitLog
  versions: VersionSet
  /** Reads the log up to its end into `versions`. */
  catchUp: () => Promise<void>
  /** Applies an entry that was already read, if it is the next one. */
  applyNext: (entry: LogEntry) => void
  /** Returns the reason why appending has stopped for good, if it has. */
  stopped: () => FirnError | undefined
}

/**
 * Appends to a log that other processes append to as well. An append that loses its version to
 * another process applies the entry that won, reads what was committed after it, and tries the next
 * version at once. See `TurnTaking` for how each process gets its turn.
 */
export class SharedLogAppender implements GroupAppender {
  readonly #options: SharedLogAppenderOptions
  readonly #clock: TimestampClock
  readonly #turns: TurnTaking

  constructor(options: SharedLogAppenderOptions) {
    this.#options = options
    this.#clock = new TimestampClock(options.env)
    this.#turns = new TurnTaking(options.env)
  }

  /** Gives other processes a turn. */
  pauseMs(): number {
    return this.#turns.pauseMs()
  }

  /** Does nothing: a group's version isn't known before it is in the log. */
  begin(): void {}

  async append(groups: readonly CommitGroup[], outcomes: GroupOutcomes): Promise<void> {
    const { slice, catchUp } = this.#options
    for (const group of groups) {
      try {
        outcomes.applied(group, await this.#append(group))
      } catch (error) {
        outcomes.refused(group, error)
        // Finds out whether the entry exists before trying the next group.
        if (isFirnError(error, 'FIRN_COMMIT_UNKNOWN')) await catchUp().catch(() => {})
      }
      const turn = slice.look()
      if (turn !== undefined) await turn
    }
  }

  /**
   * Appends one group, and returns its version and timestamp. Throws `CommitConflictError` if the
   * group no longer applies to what other processes committed, or, retryable, if they were first
   * 100 times in a row or for 30 s; `CommitUnknownError` if it can't be found out whether the group
   * is in the log; and the error that `stopped` returns.
   */
  async #append(group: CommitGroup): Promise<Commit> {
    const { env, log, versions, catchUp, applyNext } = this.#options
    const startedMs = env.monotonic()
    for (let attempt = 1; ; attempt++) {
      await this.#check(group)
      const { state } = versions
      group.adaptTo(state)
      const commit = { version: state.version + 1, timestamp: this.#clock.next(state.timestamp) }
      const entry = { ...commit, token: ulid(env), payload: group.payload() }
      const sentMs = env.monotonic()
      const result = await appendSettled(log, entry, { env })
      if (result.appended) {
        this.#turns.committed(env.monotonic() - sentMs)
        return commit
      }
      this.#turns.lost()
      applyNext(result.winner)
      const tookMs = env.monotonic() - startedMs
      if (attempt === MAX_ATTEMPTS || tookMs >= MAX_MS) throw outrun(attempt, tookMs)
      await catchUp()
    }
  }

  /** Checks the group against the newest state, however long that takes. */
  async #check(group: CommitGroup): Promise<void> {
    const { versions } = this.#options
    for (;;) {
      // After the database is closed there is no state left to check against.
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

function outrun(attempts: number, ms: number): CommitConflictError {
  const seconds = Math.round(ms / 1000)
  return new CommitConflictError(
    `other processes were first at ${attempts} ${attempts === 1 ? 'version' : 'versions'} in a row, for ${seconds} s; try again, or write in larger batches`,
    { retryable: true },
  )
}
