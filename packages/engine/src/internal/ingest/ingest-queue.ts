import { type Env, isFirnError, waitFor } from '@firn/env'
import type { DatabaseState } from '@firn/manifest'
import type { Commit } from '../../write-options.js'
import type { EncodedRecords } from './encoded-records.js'
import type { Ingestion } from './ingestion.js'

export interface IngestQueueOptions {
  env: Env
  /** For so many bytes. */
  startIngestion: (bytes: number) => Ingestion
  /** The newest one that this process knows. */
  state: () => DatabaseState
  /** A group of about this size is written without waiting for the one before. */
  groupBytes: number
}

const REFUSALS: ReadonlySet<string> = new Set(['FIRN_COMMIT_CONFLICT', 'FIRN_TABLE_OPTIONS'])

/** A batch, and whoever waits for its commit. */
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
  /** Since it is being written. */
  ingestion: Ingestion | undefined
}

/**
 * Group commit of batches that are too large for an entry of the log, and fit one run: while one
 * group is on its way, the next one gathers. A file is a request to a store, and one more for
 * compaction to read; sixteen batches that come at once cost one of each, and not sixteen.
 */
export class IngestQueue {
  readonly #options: IngestQueueOptions
  #gathering: Group | undefined
  #underWay = 0

  constructor(options: IngestQueueOptions) {
    this.#options = options
  }

  /**
   * Commits the records of a batch. Throws what kept them from being written, or the signal's
   * reason: then it may be committed with others that share its file, if there are any.
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
      // Nobody waits for it any more.
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
      group.ingestion = this.#options.startIngestion(group.bytes)
      // Of several, some may have to be written again: whoever writes them empties the list.
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
      // The others, as if those had never come.
      await this.#write(group)
    }
  }

  /**
   * Whether an error says that nothing was written because of a batch's own tables: one was
   * dropped, or made by others with other options.
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
