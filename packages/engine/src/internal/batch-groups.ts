import { type Env, isFirnError } from '@firn/env'
import type { Commit } from '../write-options.js'
import type { BatchRuns } from './batch-runs.js'
import type { EncodedRecords } from './file-writer.js'

export interface BatchGroupsOptions {
  env: Env
  startRuns: () => BatchRuns
  /** A group of about this size is written without waiting for the one before. */
  groupBytes: number
}

/** A batch, and whoever waits for its commit. */
interface Member {
  readonly records: EncodedRecords
  group: Group
  resolve(commit: Commit): void
  reject(error: unknown): void
}

interface Group {
  readonly members: Set<Member>
  bytes: number
  /** Since it is being written. */
  runs: BatchRuns | undefined
}

/**
 * Group commit of batches that are too large for an entry of the log, and small enough to share a file:
 * while one group is on its way, the next one gathers. A file is a request to a store, and one more for
 * compaction to read; sixteen batches that come at once cost two of each, and not sixteen.
 */
export class BatchGroups {
  readonly #options: BatchGroupsOptions
  #gathering: Group | undefined
  #underWay = 0

  constructor(options: BatchGroupsOptions) {
    this.#options = options
  }

  /**
   * Commits the records of a batch. Throws what kept them from being written, or the signal's reason;
   * a group that nobody waits for any more isn't committed unless that is under way.
   */
  commit(records: EncodedRecords, bytes: number, signal: AbortSignal | undefined): Promise<Commit> {
    const group = this.#gathering ?? this.#gather()
    const committed = new Promise<Commit>((resolve, reject) => {
      const member: Member = { records, group, resolve, reject }
      group.members.add(member)
      if (signal === undefined) return
      const leave = (): void => leaveGroup(member, signal.reason)
      signal.addEventListener('abort', leave, { once: true })
      const stay = (): void => signal.removeEventListener('abort', leave)
      member.resolve = (commit) => {
        stay()
        resolve(commit)
      }
      member.reject = (error) => {
        stay()
        reject(error)
      }
    })
    group.bytes += bytes
    if (group.bytes >= this.#options.groupBytes) this.#close()
    return committed
  }

  /** Rejects the batches that aren't being written yet. */
  stop(reason: unknown): void {
    for (const member of this.#gathering?.members ?? []) member.reject(reason)
    this.#gathering = undefined
  }

  #gather(): Group {
    this.#gathering = { members: new Set(), bytes: 0, runs: undefined }
    if (this.#underWay === 0) this.#closeSoon()
    return this.#gathering
  }

  /** Those who were woken by one commit, or write several batches at once, all get in. */
  #closeSoon(): void {
    void this.#options.env.yield().then(() => {
      if (this.#underWay === 0) this.#close()
    })
  }

  #close(): void {
    const group = this.#gathering
    if (group === undefined) return
    this.#gathering = undefined
    this.#underWay++
    void this.#write(group).then(() => {
      this.#underWay--
      if (this.#gathering !== undefined) this.#closeSoon()
    })
  }

  /** Never rejects: members are told. */
  async #write(group: Group): Promise<void> {
    const members = [...group.members]
    if (members.length === 0) return
    try {
      group.runs = this.#options.startRuns()
      // Each may have to be written again, alone.
      const batches = members.map(({ records }) => ({
        ...records,
        payloads: [...records.payloads],
      }))
      const commit = await group.runs.commit(batches, undefined)
      for (const member of members) member.resolve(commit)
    } catch (error) {
      if (members.length > 1 && mayConcernOne(error)) {
        await Promise.all([...group.members].map((member) => this.#writeAlone(member)))
      } else for (const member of members) member.reject(error)
    }
  }

  #writeAlone(member: Member): Promise<void> {
    member.group = { members: new Set([member]), bytes: 0, runs: undefined }
    return this.#write(member.group)
  }
}

/** A table was dropped, or made with other options: not all write to it. */
function mayConcernOne(error: unknown): boolean {
  if (!isFirnError(error) || error.retryable) return false
  return error.code === 'FIRN_COMMIT_CONFLICT' || error.code === 'FIRN_TABLE_OPTIONS'
}

function leaveGroup(member: Member, reason: unknown): void {
  const { members, runs } = member.group
  members.delete(member)
  member.reject(reason)
  if (members.size === 0) void runs?.stop(reason)
}
