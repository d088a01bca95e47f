import type { AppendResult, CommitLog } from '@firn/commit-log'
import { type Env, type TimeSlice, ulid } from '@firn/env'
import { TimestampClock } from '@firn/mvcc'
import { CommitConflictError } from '../../errors.js'
import type { Commit } from '../../write-options.js'
import type { VersionSet } from '../view/version-set.js'
import type { CommitGroup } from './commit-group.js'
import type { GroupAppender, GroupOutcomes } from './group-appender.js'

export interface ExclusiveLogAppenderOptions {
  env: Env
  /** Decides when to give others a turn. */
  slice: TimeSlice
  log: CommitLog
  versions: VersionSet
}

/**
 * Appends to a log that only this process can append to. Versions are known in advance, so groups
 * of records go to the log together, without waiting for each. A failed append stops all writes:
 * what is on disk is then unknown, and a later success would make durable what was reported as
 * failed.
 */
export class ExclusiveLogAppender implements GroupAppender {
  readonly #env: Env
  readonly #slice: TimeSlice
  readonly #log: CommitLog
  readonly #versions: VersionSet
  readonly #clock: TimestampClock
  // The newest version and timestamp assigned, which may not be in the state yet.
  #version: number
  #timestamp: number

  constructor(options: ExclusiveLogAppenderOptions) {
    this.#env = options.env
    this.#slice = options.slice
    this.#log = options.log
    this.#versions = options.versions
    this.#clock = new TimestampClock(options.env)
    this.#version = options.versions.state.version
    this.#timestamp = options.versions.state.timestamp
  }

  /** Assigns the next version. Its group must be appended before the group of the next call. */
  nextCommit(): Commit {
    this.#version++
    this.#timestamp = this.#clock.next(this.#timestamp)
    return { version: this.#version, timestamp: this.#timestamp }
  }

  pauseMs(): number {
    return 0
  }

  begin(groups: readonly CommitGroup[]): void {
    for (const group of groups) if (group.visible) group.appended ??= this.#append(group)
  }

  async append(groups: readonly CommitGroup[], outcomes: GroupOutcomes): Promise<void> {
    let from = 0
    while (from < groups.length && !outcomes.isStopped) {
      const group = groups[from] as CommitGroup
      let to = from + 1
      if (!group.needsState) {
        while (groups[to]?.needsState === false) to++
        await this.#appendTogether(groups.slice(from, to), outcomes)
      } else {
        await this.#appendChecked(group, outcomes)
      }
      from = to
    }
    // If writes were stopped meanwhile, for example by a failed sync, the remaining groups are told
    // here.
    if (from < groups.length) outcomes.stop(undefined, groups.slice(from))
  }

  /**
   * Appends a group that changes files or tables. It is checked against the state that it will
   * meet, so all groups before it must be applied.
   */
  async #appendChecked(group: CommitGroup, outcomes: GroupOutcomes): Promise<void> {
    try {
      // No other process changes the state of an exclusive log.
      await group.check(this.#versions)
      group.adaptTo(this.#versions.state)
    } catch (error) {
      outcomes.refused(group, error)
      return
    }
    if (outcomes.isStopped) outcomes.stop(undefined, [group])
    else await this.#appendTogether([group], outcomes)
  }

  async #appendTogether(groups: readonly CommitGroup[], outcomes: GroupOutcomes): Promise<void> {
    const failures = encodeAll(groups)
    let i = 0
    try {
      for (const group of groups) {
        if (!failures.has(group)) group.appended ??= this.#append(group)
      }
      for (; i < groups.length; i++) {
        const group = groups[i] as CommitGroup
        const failure = failures.get(group)
        if (failure === undefined) {
          const result = await (group.appended as Promise<AppendResult>)
          if (!result.appended) throw new CommitConflictError('another process wrote to the log')
          outcomes.applied(group, group.commit as Commit)
        } else outcomes.refused(group, failure.error)
        const turn = this.#slice.look()
        if (turn !== undefined) await turn
      }
    } catch (error) {
      const failed = groups[i]
      if (failed !== undefined) failed.appended = undefined
      outcomes.stop(error, groups.slice(i))
    }
  }

  #append(group: CommitGroup): Promise<AppendResult> {
    group.commit ??= this.nextCommit()
    const append = this.#log.append({
      ...group.commit,
      token: ulid(this.#env),
      payload: group.payload(),
      startsSegment: group.startsSegment,
      // A buffered write asks for no sync, but may share the sync of the next group.
      lazy: group.visible && !group.followed,
    })
    // The caller awaits appends in order; one that fails early must not count as unhandled
    // meanwhile.
    append.catch(() => {})
    return append
  }
}

/**
 * Encodes groups before they get their versions; returns the groups that can't be encoded. These
 * don't reach the log, and the next group takes their place. A visible group already has its
 * version, and readers have seen its records: if it can't be encoded, its append fails.
 */
function encodeAll(groups: readonly CommitGroup[]): Map<CommitGroup, { error: unknown }> {
  const failures = new Map<CommitGroup, { error: unknown }>()
  for (const group of groups) {
    if (group.visible) continue
    try {
      group.payload()
    } catch (error) {
      failures.set(group, { error })
    }
  }
  return failures
}
