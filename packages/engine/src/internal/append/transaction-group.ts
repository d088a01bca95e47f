import type { DatabaseState } from '@firn/manifest'
import { CommitConflictError } from '../../errors.js'
import type { Commit } from '../../write-options.js'
import type { VersionSet } from '../view/version-set.js'
import type { View } from '../view/view.js'
import { CommitGroup } from './commit-group.js'
import type { CommitGuard } from './commit-guard.js'
import { KeySet } from './key-set.js'

/** A transaction's writes on their way to the log. */
interface Member {
  readonly guard: CommitGuard
  readonly payload: Uint8Array
  readonly tableIds: readonly number[]
  reject(error: unknown): void
}

/**
 * Transactions that share a log entry. Whenever the entry is about to be appended, each transaction
 * is checked against what was committed since, and against those before it in the group. A
 * contradicted transaction drops out, and its caller gets the error.
 */
export class TransactionGroup extends CommitGroup {
  #members: Member[] = []

  override get isRecordsOnly(): boolean {
    return false
  }

  override get byteLength(): number {
    return this.#members.reduce((sum, { payload }) => sum + payload.length, 0)
  }

  /**
   * Adds a transaction; resolves when it is in the log. All records of the payload must be of
   * existing tables.
   */
  add(guard: CommitGuard, payload: Uint8Array, tableIds: readonly number[]): Promise<Commit> {
    return new Promise((resolve, reject) => {
      this.#members.push({ guard, payload, tableIds, reject })
      this.durable.then(resolve, reject)
    })
  }

  override check(versions: VersionSet): Promise<void> {
    return versions.holding((view, state) => this.#check(view, state))
  }

  /** Checks the members against one state. The database may be closed meanwhile. */
  async #check(view: View, state: DatabaseState): Promise<void> {
    const before = new KeySet()
    const stay: Member[] = []
    let refusal: unknown
    const last = this.#members.at(-1)
    for (const member of this.#members) {
      try {
        assertTables(member.tableIds, state)
        await member.guard.check(view, state.timestamp, before)
        if (member !== last) before.addAll(member.guard.writes)
        stay.push(member)
      } catch (error) {
        refusal = error
        member.reject(error)
      }
    }
    this.#members = stay
    if (stay.length === 0) {
      throw new CommitConflictError('every transaction of the group was refused', {
        cause: refusal,
      })
    }
    this.setPayloads(stay.map(({ payload }) => payload))
  }
}

function assertTables(ids: readonly number[], state: DatabaseState): void {
  if (ids.every((id) => state.tables.has(id))) return
  throw new CommitConflictError('a table was dropped while a transaction wrote to it')
}
