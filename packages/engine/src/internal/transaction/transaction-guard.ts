import { isFirnError, type TimeSlice } from '@firn/env'
import { CommitConflictError } from '../../errors.js'
import type { CommitGuard } from '../append/commit-guard.js'
import type { KeySet } from '../append/key-set.js'
import type { View } from '../view/view.js'
import { changedSince } from './changed-since.js'
import type { ReadSet } from './read-set.js'

/** Holds what a transaction read against what others have written since. */
export class TransactionGuard implements CommitGuard {
  readonly writes: KeySet
  readonly #reads: ReadSet
  /** What was read is unchanged up to here. */
  #since: number

  readonly holdsWrites: boolean
  readonly #slice: TimeSlice

  /** `since`: the moment that was read. `slice`: by which it gives others a turn. */
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
      // Another process has compacted it away: what took its place is known after a refresh.
      throw new CommitConflictError('a file is gone in which others may have written', {
        cause: error,
      })
    }
    const table = await this.#reads.changedBy(before, this.#slice)
    if (table === undefined) return
    throw new CommitConflictError(`what was read of table ${table} was written to meanwhile`)
  }
}
