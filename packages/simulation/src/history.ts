import type { Commit } from '@firn/engine'
import type { KeyRange } from './key-range.js'

/** One key that is put, or deleted where there is no value. */
export interface Change {
  table: string
  key: string
  value: string | undefined
}

/** A write as whoever made it saw it. */
export interface Write {
  process: string
  what: string
  changes: readonly Change[]
  /** The newest version that anybody had been told of when it began. */
  after: number
  /** Without an answer it is `unknown`, too. */
  outcome: 'acknowledged' | 'refused' | 'unknown'
  /** Of one that was acknowledged. */
  commit: Commit | undefined
  /** Why it wasn't. */
  code: string | undefined
}

/** The moment that a read asks for; `undefined`: the present. */
export type At = { version: number } | { timestamp: number } | undefined

/** What a read gave. */
export type Seen =
  | {
      kind: 'values'
      table: string
      keys: readonly string[]
      values: readonly (string | undefined)[]
    }
  /** `whole`: it was read to its end, else these are the first rows. */
  | { kind: 'rows'; table: string; range: KeyRange; rows: readonly Row[]; whole: boolean }
  | { kind: 'count'; table: string; range: KeyRange; count: number }
  /** The version of a snapshot. */
  | { kind: 'version'; version: number }

export type Row = readonly [key: string, value: string]

/** A read as whoever made it saw it. All of it must be of one version, out of those that were allowed. */
export interface Read {
  process: string
  what: string
  /** The oldest version that it may show, and the newest one, where it asks for the present. */
  from: number
  to: number
  at: At
  seen: Seen
}

/** All that was written and read in a run, from outside. */
export class History {
  readonly writes: Write[] = []
  readonly reads: Read[] = []
  /** Newest versions that were acknowledged, each with the world's time when it was. */
  readonly #acknowledged: { atMs: number; version: number; timestamp: number }[] = []

  /** The newest version that a writer was told of. */
  get acknowledged(): number {
    return this.#acknowledged.at(-1)?.version ?? 0
  }

  /** The newest version that a writer had been told of before some time. */
  acknowledgedBefore(worldMs: number): number {
    const all = this.#acknowledged
    let at = all.length - 1
    while (at >= 0 && (all[at] as { atMs: number }).atMs >= worldMs) at--
    return all[at]?.version ?? 0
  }

  /** A commit that a writer was told of, the newest for 0, the one before for 1. */
  commit(age: number): Commit | undefined {
    return this.#acknowledged[this.#acknowledged.length - 1 - age]
  }

  begin(process: string, what: string, changes: readonly Change[]): Write {
    const write: Write = {
      process,
      what,
      changes,
      after: this.acknowledged,
      outcome: 'unknown',
      commit: undefined,
      code: undefined,
    }
    this.writes.push(write)
    return write
  }

  acknowledge(write: Write, commit: Commit, atMs: number): void {
    write.outcome = 'acknowledged'
    write.commit = commit
    if (commit.version > this.acknowledged) this.#acknowledged.push({ atMs, ...commit })
  }

  /** Only `FIRN_COMMIT_UNKNOWN` leaves open what became of a write. */
  fail(write: Write, code: string): void {
    write.code = code
    if (code !== 'FIRN_COMMIT_UNKNOWN') write.outcome = 'refused'
  }

  read(read: Read): void {
    this.reads.push(read)
  }
}
