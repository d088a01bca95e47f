import type { Commit } from '@firn/engine'
import type { KeyRange } from './key-range.js'
import type { LostWrite } from './loss-window.js'

/** A key that is put, or deleted if there is no value. */
export interface Change {
  table: string
  key: string
  value: string | undefined
}

/** Stands for all keys of a table: dropping a table is a delete of this. No key equals it. */
export const WHOLE_TABLE = '*'

/** The code of a call whose client gave up waiting, which isn't an error of Firn's. */
export const ABANDONED = 'ABANDONED'
/** The code of a call whose client had given up before it called. */
export const ABANDONED_BEFORE = 'ABANDONED_BEFORE'

/** A write as its client saw it. */
export interface Write {
  process: string
  what: string
  /** For a transaction: the writes of its last attempt. */
  changes: readonly Change[]
  /** Changes of the same call that `changes` replaced: the log may hold or omit them. */
  replaced: readonly Change[]
  /** The newest version that was certainly in the log when the write began. */
  after: number
  /** A crash may lose a buffered write until something durable follows it. */
  durability: 'durable' | 'buffered'
  /** `unknown` also means that no answer came. `lost` are buffered writes that a crash took. */
  outcome: 'acknowledged' | 'refused' | 'unknown' | 'lost'
  /** The commit of an acknowledged write. */
  commit: Commit | undefined
  /** The reason if it wasn't acknowledged. */
  code: string | undefined
  /** For a transaction that ended: what it depends on. */
  transaction: TransactionReads | undefined
}

/** The observations of a transaction's last attempt. */
export interface TransactionReads {
  isolation: 'serializable' | 'snapshot'
  /** The version of its snapshot. */
  version: number
  reads: readonly Seen[]
}

/** Optional details of a write; see `Write`. */
export interface WriteDetails {
  replaced?: Write['replaced'] | undefined
  durability?: Write['durability'] | undefined
}

/** The moment that a read asks for, which may be in the future; `undefined`: the present. */
export type At = { version: number } | { timestamp: number } | { dateMs: number } | undefined

/**
 * A transaction's earlier writes to a table at the time of a read, by key; deletes are `undefined`.
 */
export type OwnWrites = ReadonlyMap<string, string | undefined>

/** The result of a read. */
export type Seen =
  | {
      kind: 'values'
      table: string
      keys: readonly string[]
      values: readonly (string | undefined)[]
      own?: OwnWrites
    }
  /** `whole`: the read went to its end; otherwise these are the first rows. */
  | {
      kind: 'rows'
      table: string
      range: KeyRange
      rows: readonly Row[]
      whole: boolean
      own?: OwnWrites
    }
  | { kind: 'count'; table: string; range: KeyRange; count: number; own?: OwnWrites }
  /** Keys alone, or values alone. */
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
  /** No table of this name exists. */
  | { kind: 'no table'; table: string }

export type Row = readonly [key: string, value: string]

/**
 * A read as its client saw it. All of it must be of one version, out of those that were allowed.
 */
export interface Read {
  process: string
  what: string
  /** The oldest version that it may show; if it asks for the present, `to` is the newest. */
  from: number
  to: number
  at: At
  /** The version that it can't see beyond, whatever moment it asks for: that of its snapshot. */
  bound?: number | undefined
  /**
   * How many losses of buffered writes there had been when a process that sees buffered writes made
   * it; `undefined` if the process sees only the log.
   */
  timeline: number | undefined
  /**
   * Whether it may show a version that is still growing: buffered writes join a version until it is
   * on its way to the log, and a read of a single key of the present doesn't end that.
   */
  growing: boolean
  seen: Seen
}

/** Buffered writes that were seen for a while, and that a crash took. */
export interface Loss {
  /** The newest version that wasn't lost. */
  after: number
  /** In the order in which they were made. */
  writes: readonly Write[]
}

/** Everything that clients wrote and read in a run. */
export class History {
  readonly writes: Write[] = []
  readonly reads: Read[] = []
  /** The first is the loss of timeline 0, and so on. */
  readonly losses: Loss[] = []
  /** Newest versions that were acknowledged and are durable, with the world's time of each. */
  readonly #acknowledged: { atMs: number; version: number; timestamp: number }[] = []
  /** Acknowledged, but not durable yet. */
  #buffered: Write[] = []
  readonly #bufferedMs: WeakMap<Write, number> = new WeakMap()

  /** The newest version that some writer knows to be durable. */
  get acknowledged(): number {
    return this.#acknowledged.at(-1)?.version ?? 0
  }

  /** Whether a writer was told of a write that, as far as it knows, isn't durable yet. */
  get isBuffering(): boolean {
    return this.#buffered.length > 0
  }

  /** The newest version that some writer knew to be durable before some time. */
  acknowledgedBefore(worldMs: number): number {
    const all = this.#acknowledged
    let at = all.length - 1
    while (at >= 0 && (all[at] as { atMs: number }).atMs >= worldMs) at--
    return all[at]?.version ?? 0
  }

  /** A durable commit that a writer was told of: the newest for 0, the one before for 1. */
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

  /**
   * Records an acknowledgement. If the write has no changes, it says nothing about what is durable.
   */
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

  /** Everything buffered up to a version is durable by now. */
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
   * Called when a log of one process's own was opened, with this as its newest version. Everything
   * buffered after that is lost; returns it.
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
   * Records a failure. Only `FIRN_COMMIT_UNKNOWN`, a log that can't be written any more, and giving
   * up leave the outcome of a write open.
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
