import { isFirnError, type TimeSlice } from '@firn/env'
import { CommitConflictError } from '../../errors.js'
import type { CommitGuard } from '../append/commit-guard.js'
import type { KeySet } from '../append/key-set.js'
import type { View } from '../view/view.js'
import { changedSince } from './changed-since.js'
import type { ReadSet } from './read-set.js'

/** Checks what a transaction read against later writes of others. */
export class TransactionGuard implements CommitGuard {
  readonly writes: KeySet
  readonly #reads: ReadSet
  /** The timestamp up to which reads are known to be unchanged. */
  #since: number

  readonly holdsWrites: boolean
  readonly #slice: TimeSlice

  /** `since`: the moment that was read. `slice`: decides when to give others a turn. */
  constructor(parts: {
    reads: ReadSet
    writes: KeySet
    since: number
    holdsWrites: boolean
    slice: TimeSlice
  }) {
    this.#reads = parts.reads
    this.writes = parts.writes
    this.#since = parts.since
    this.holdsWrites = parts.holdsWrites
    this.#slice = parts.slice
  }

  async check(view: View, timestamp: number, before: KeySet): Promise<void> {
    try {
      const problem = await changedSince(view, this.#reads, this.#since, this.#slice)
      if (problem !== undefined) throw new CommitConflictError(problem)
      this.#since = timestamp
    } catch (error) {
      if (!isFirnError(error, 'FIRN_OBJECT_NOT_FOUND')) throw error
      // Another process has compacted the file away; a refresh finds the files that replaced it.
      throw new CommitConflictError('a file that may hold newer writes is gone', {
        cause: error,
      })
    }
    const table = await this.#reads.changedBy(before, this.#slice)
    if (table === undefined) return
    throw new CommitConflictError(`what was read of table ${table} was written to meanwhile`)
  }
}
