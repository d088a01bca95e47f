import { type Env, isFirnError, waitFor } from '@firn/env'
import type { DatabaseState } from '@firn/manifest'
import type { Commit } from '../../write-options.js'
import type { EncodedRecords } from './encoded-records.js'
import type { Ingestion } from './ingestion.js'

export interface IngestQueueOptions {
  env: Env
  /** Starts an ingestion for this many bytes. */
  startIngestion: (bytes: number) => Ingestion
  /** Returns the newest state that this process knows. */
  state: () => DatabaseState
  /** A group of about this size is written without waiting for the group before it. */
  groupBytes: number
}

const REFUSALS: ReadonlySet<string> = new Set(['FIRN_COMMIT_CONFLICT', 'FIRN_TABLE_OPTIONS'])

/** A batch, and the promise of its commit. */
class Member {
  readonly records: EncodedRecords
  readonly bytes: number
  readonly committed: Promise<Commit>
  resolve: (commit: Commit) => void = () => {}
  reject: (error: unknown) => void = () => {}

  constructor(records: EncodedRecords, bytes: number) {
    this.records = records
    this.bytes = bytes
    this.committed = new Promise((resolve, reject) => {
      this.resolve = resolve
      this.reject = reject
    })
  }
}

interface Group {
  readonly members: Set<Member>
  bytes: number
  /** Set once the group is being written. */
  ingestion: Ingestion | undefined
}

/**
 * Group commit of batches that are too large for a log entry but fit one run: while one group is on
 * its way, the next one gathers. Each file is one request to a store, and one more when compaction
 * reads it. Sixteen batches that arrive at once cost one of each instead of sixteen.
 */
export class IngestQueue {
  readonly #options: IngestQueueOptions
  #gathering: Group | undefined
  #underWay = 0

  constructor(options: IngestQueueOptions) {
    this.#options = options
  }

  /**
   * Commits the records of a batch. Throws the error that kept them from being written, or the
   * signal's reason: then the batch may still be committed with others that share its file.
   */
  async commit(
    records: EncodedRecords,
    bytes: number,
    signal: AbortSignal | undefined,
  ): Promise<Commit> {
    const group = this.#gathering ?? this.#gather()
    const member = new Member(records, bytes)
    group.members.add(member)
    group.bytes += bytes
    if (group.bytes >= this.#options.groupBytes) this.#close()
    try {
      return await waitFor(member.committed, signal)
    } catch (error) {
      remove(group, member)
      // No caller waits for the group any more.
      if (group.members.size === 0) void group.ingestion?.stop(error)
      throw error
    }
  }

  /** Rejects the batches that aren't being written yet. */
  stop(reason: unknown): void {
    for (const member of this.#gathering?.members ?? []) member.reject(reason)
    this.#gathering = undefined
  }

  #gather(): Group {
    this.#gathering = { members: new Set(), bytes: 0, ingestion: undefined }
    if (this.#underWay === 0) this.#closeSoon()
    return this.#gathering
  }

  /**
   * Deferred, so that callers woken by one commit, or writing several batches at once, all join.
   */
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

  /** Never rejects: it settles the members' promises instead. */
  async #write(group: Group): Promise<void> {
    const members = [...group.members]
    if (members.length === 0) return
    try {
      group.ingestion = this.#options.startIngestion(group.bytes)
      // Some of several may have to be written again, so their payloads must stay: the writer
      // empties the list it gets.
      const [only, second] = members
      const batches =
        only !== undefined && second === undefined
          ? [only.records]
          : members.map(({ records }) => ({ ...records, payloads: [...records.payloads] }))
      const commit = await group.ingestion.commit(batches, undefined)
      for (const member of members) member.resolve(commit)
    } catch (error) {
      const concerned = members.filter((member) => this.#concerns(error, group, member))
      for (const member of concerned.length === 0 ? members : concerned) {
        remove(group, member)
        member.reject(error)
      }
      // Writes the others as if the refused ones had never come.
      await this.#write(group)
    }
  }

  /**
   * Whether an error means that nothing was written because of this batch's own tables: one was
   * dropped, or another process created it with other options.
   */
  #concerns(error: unknown, { ingestion }: Group, { records }: Member): boolean {
    if (!isFirnError(error) || error.retryable || !REFUSALS.has(error.code)) return false
    const state = this.#options.state()
    return records.tables.some((table) => {
      const id = ingestion?.tableIds.get(table.name)
      if (id !== undefined) return !state.tables.has(id)
      try {
        table.idIn(state)
        return false
      } catch {
        return true
      }
    })
  }
}

function remove(group: Group, member: Member): void {
  if (group.members.delete(member)) group.bytes -= member.bytes
}
