import type { Commit } from '@firn/engine'
import type { KeyRange } from './key-range.js'
import type { LostWrite } from './loss-window.js'

/** One key that is put, or deleted where there is no value. */
export interface Change {
  table: string
  key: string
  value: string | undefined
}

/** In place of a key: to drop a table is to delete this. No key looks like it. */
export const WHOLE_TABLE = '*'

/** What became of a call whose client gave up waiting, which isn't an error of Firn's. */
export const ABANDONED = 'ABANDONED'
/** The same, where the client had given up before it called. */
export const ABANDONED_BEFORE = 'ABANDONED_BEFORE'

/** A write as whoever made it saw it. */
export interface Write {
  process: string
  what: string
  /** Of a transaction, what its last attempt wrote. */
  changes: readonly Change[]
  /** Of the same call, but replaced by `changes`: the log may hold these or leave them out. */
  replaced: readonly Change[]
  /** The newest version that was certainly in the log when it began. */
  after: number
  /** A crash may lose a buffered write, until something durable follows it. */
  durability: 'durable' | 'buffered'
  /** Without an answer it is `unknown`, too. `lost` are buffered writes that a crash took. */
  outcome: 'acknowledged' | 'refused' | 'unknown' | 'lost'
  /** Of one that was acknowledged. */
  commit: Commit | undefined
  /** Why it wasn't. */
  code: string | undefined
  /** Of a transaction that came to its end: what it depends on. */
  transaction: TransactionReads | undefined
}

/** What the last attempt of a transaction has seen. */
export interface TransactionReads {
  isolation: 'serializable' | 'snapshot'
  /** Of its snapshot. */
  version: number
  reads: readonly Seen[]
}

/** What may be said of a write; see `Write`. */
export interface WriteDetails {
  replaced?: Write['replaced'] | undefined
  durability?: Write['durability'] | undefined
}

/** The moment that a read asks for, which may be to come; `undefined`: the present. */
export type At = { version: number } | { timestamp: number } | { dateMs: number } | undefined

/** What a transaction had written to a table when it read it, by key; deletes as `undefined`. */
export type OwnWrites = ReadonlyMap<string, string | undefined>

/** What a read gave. */
export type Seen =
  | {
      kind: 'values'
      table: string
      keys: readonly string[]
      values: readonly (string | undefined)[]
      own?: OwnWrites
    }
  /** `whole`: it was read to its end, else these are the first rows. */
  | {
      kind: 'rows'
      table: string
      range: KeyRange
      rows: readonly Row[]
      whole: boolean
      own?: OwnWrites
    }
  | { kind: 'count'; table: string; range: KeyRange; count: number; own?: OwnWrites }
  /** The same of keys alone, or of values. */
  | {
      kind: 'keys' | 'values of rows'
      table: string
      range: KeyRange
      items: readonly string[]
    }
  /** The version of a snapshot. */
  | { kind: 'version'; version: number }
  /** The names of all tables, in order. */
  | { kind: 'tables'; names: readonly string[] }
  /** That there is none of this name. */
  | { kind: 'no table'; table: string }

export type Row = readonly [key: string, value: string]

/**
 * A read as whoever made it saw it. All of it must be of one version, out of those that were
 * allowed.
 */
export interface Read {
  process: string
  what: string
  /** The oldest version that it may show, and the newest one, where it asks for the present. */
  from: number
  to: number
  at: At
  /**
   * The version that it can't show more than, whatever moment it asks for: that of its snapshot.
   */
  bound?: number | undefined
  /**
   * How many times buffered writes had been lost when it was made, by a process that sees what is
   * buffered; `undefined` for one that sees the log alone.
   */
  timeline: number | undefined
  /**
   * Whether it may show a version that is still growing: buffered writes join it as long as it
   * isn't on its way to the log, and whoever reads a single key of the present doesn't end that.
   */
  growing: boolean
  seen: Seen
}

/** What was seen for a while, and never came to be: buffered writes that a crash took. */
export interface Loss {
  /** The newest version that wasn't lost. */
  after: number
  /** In the order in which they were made. */
  writes: readonly Write[]
}

/** All that was written and read in a run, from outside. */
export class History {
  readonly writes: Write[] = []
  readonly reads: Read[] = []
  /** The first one is what timeline 0 lost, and so on. */
  readonly losses: Loss[] = []
  /**
   * Newest versions that were acknowledged and are durable, each with the world's time when it was.
   */
  readonly #acknowledged: { atMs: number; version: number; timestamp: number }[] = []
  /** Acknowledged, and not durable yet. */
  #buffered: Write[] = []
  readonly #bufferedMs: WeakMap<Write, number> = new WeakMap()

  /** The newest version of which a writer knows that it is durable. */
  get acknowledged(): number {
    return this.#acknowledged.at(-1)?.version ?? 0
  }

  /** Whether a writer was told of something that isn't durable yet, as far as it knows. */
  get isBuffering(): boolean {
    return this.#buffered.length > 0
  }

  /** The newest version of which a writer knew before some time that it is durable. */
  acknowledgedBefore(worldMs: number): number {
    const all = this.#acknowledged
    let at = all.length - 1
    while (at >= 0 && (all[at] as { atMs: number }).atMs >= worldMs) at--
    return all[at]?.version ?? 0
  }

  /** A durable commit that a writer was told of, the newest for 0, the one before for 1. */
  commit(age: number): Commit | undefined {
    return this.#acknowledged[this.#acknowledged.length - 1 - age]
  }

  begin(
    process: string,
    what: string,
    changes: readonly Change[],
    { replaced = [], durability = 'durable' }: WriteDetails = {},
  ): Write {
    const write: Write = {
      process,
      what,
      changes,
      replaced,
      after: this.acknowledged,
      durability,
      outcome: 'unknown',
      commit: undefined,
      code: undefined,
      transaction: undefined,
    }
    this.writes.push(write)
    return write
  }

  /** Its writer was told. That says nothing of what is durable where it wrote nothing. */
  end(write: Write, commit: Commit): void {
    write.outcome = 'acknowledged'
    write.commit = commit
  }

  acknowledge(write: Write, commit: Commit, atMs: number): void {
    this.end(write, commit)
    if (write.durability === 'buffered') {
      this.#buffered.push(write)
      this.#bufferedMs.set(write, atMs)
    } else {
      this.#acknowledge(commit, atMs)
      this.settle(commit.version, atMs)
    }
  }

  /** All that was buffered up to a version is durable by now. */
  settle(version: number, atMs: number): void {
    const durable = this.#buffered.filter(({ commit }) => (commit as Commit).version <= version)
    if (durable.length === 0) return
    this.#buffered = this.#buffered.filter((write) => !durable.includes(write))
    for (const write of durable) {
      write.durability = 'durable'
      this.#acknowledge(write.commit as Commit, atMs)
    }
  }

  /**
   * A log of one process's own was opened, with this as its newest version: what was buffered after
   * it is lost. Gives that.
   */
  recover(version: number, atMs: number): LostWrite[] {
    this.settle(version, atMs)
    const writes = this.#buffered
    if (writes.length === 0) return []
    this.#buffered = []
    for (const write of writes) write.outcome = 'lost'
    this.losses.push({ after: version, writes })
    return writes.map((write) => ({ write, atMs: this.#bufferedMs.get(write) ?? atMs }))
  }

  /**
   * Only `FIRN_COMMIT_UNKNOWN`, a log that can't be written any more, and giving up leave open what
   * became of a write.
   */
  fail(write: Write, code: string): void {
    write.code = code
    const isOpen = ['FIRN_COMMIT_UNKNOWN', 'FIRN_WRITE_STOPPED', ABANDONED].includes(code)
    if (!isOpen) write.outcome = 'refused'
  }

  read(read: Read): void {
    this.reads.push(read)
  }

  #acknowledge(commit: Commit, atMs: number): void {
    if (commit.version > this.acknowledged) this.#acknowledged.push({ atMs, ...commit })
  }
}
