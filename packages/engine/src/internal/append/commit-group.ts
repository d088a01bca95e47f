import type { AppendResult } from '@firn/commit-log'
import {
  conflictOf,
  type DatabaseState,
  type Edit,
  encodeEdits,
  RecordsWriter,
} from '@firn/manifest'
import { CommitConflictError } from '../../errors.js'
import type { Commit } from '../../write-options.js'
import type { TableIdentity } from '../view/table-identity.js'
import type { VersionSet } from '../view/version-set.js'
import type { BufferPool } from './buffer-pool.js'
import type { CommitGuard } from './commit-guard.js'
import { KeySet } from './key-set.js'
import { joinPayloads, renumberRecords } from './payload.js'

const NO_KEYS = new KeySet()

/** Writes that share one log entry, and so a version. */
export class CommitGroup {
  /** Edits that come before the records: tables created, files added. */
  edits: Edit[] = []
  readonly records: RecordsWriter = new RecordsWriter()
  /** Payloads of records that come before `records`. */
  #parts: Uint8Array[] = []
  #partBytes = 0
  /** A condition of the commit, besides that the group's edits apply. */
  guard: CommitGuard | undefined
  /** Tables of the group's records. */
  readonly tableIds: Set<number> = new Set()
  /** Ids used in the records before their tables existed, and the tables they stand for. */
  provisional: Map<number, TableIdentity> = new Map()
  /**
   * True if readers already see the records: buffered writes on a log whose next version is known.
   * Then `commit` is known too.
   */
  readonly visible: boolean
  /** Known from the start for visible groups, and after the append for others. */
  commit: Commit | undefined
  /** Resolves when the group is in the log: durable, unless it was visible before. */
  readonly durable: Promise<Commit>
  /** `commit` as a promise that all writers of a visible group share. */
  readonly seen: Promise<Commit> | undefined
  /** The first group after a memtable was sealed: see `NewLogEntry.startsSegment`. */
  startsSegment = false
  /** How many writes joined a visible group. */
  writes = 0
  /** Whether the next group will be durable and make this one durable with it. */
  followed = false
  /** The result of the append, once an exclusive log has the group. */
  appended: Promise<AppendResult> | undefined
  /** Bytes that the group adds to what waits for the log. */
  queuedBytes = 0
  #payload: Uint8Array | undefined
  readonly #buffers: BufferPool
  resolve: (commit: Commit) => void = unset
  reject: (error: unknown) => void = unset

  /** `buffers`: provides memory for payloads, and takes it back in `recycle`. */
  constructor(buffers: BufferPool, visibleAs?: Commit) {
    this.#buffers = buffers
    this.visible = visibleAs !== undefined
    this.commit = visibleAs
    this.seen = visibleAs === undefined ? undefined : Promise.resolve(visibleAs)
    this.durable = new Promise((resolve, reject) => {
      this.resolve = resolve
      this.reject = reject
    })
    // No caller may be waiting for a buffered group; the next write reports its failure.
    this.durable.catch(() => {})
  }

  /**
   * Adapts the group to a state that other groups have changed: tables it meant to create may exist
   * now, or their ids may be taken. Throws `TableOptionsError` if a table was created with options
   * that contradict this process's.
   */
  rebase(state: DatabaseState): void {
    if (this.provisional.size === 0) return
    const payload = this.payload()
    const ids = new Map<number, number>()
    const provisional = new Map<number, TableIdentity>()
    const creates: Edit[] = []
    let nextId = state.nextTableId
    for (const [given, table] of this.provisional) {
      let id = table.idIn(state)
      if (id === undefined) {
        id = nextId++
        creates.push(table.creation(id))
      }
      provisional.set(id, table)
      ids.set(given, id)
    }
    this.edits = [...creates, ...this.edits.filter((edit) => edit.type !== 'create-table')]
    this.provisional = provisional
    for (const [given, id] of ids) {
      this.tableIds.delete(given)
      this.tableIds.add(id)
    }
    this.#parts = [renumberRecords(payload, ids)]
    this.#payload = undefined
  }

  /** Rebases the group. Throws `CommitConflictError` if it doesn't apply to the state. */
  adaptTo(state: DatabaseState): void {
    this.rebase(state)
    for (const id of this.tableIds) {
      if (!state.tables.has(id) && !this.provisional.has(id)) {
        throw new CommitConflictError(
          'a table was dropped while it was written to; write again to create it again',
        )
      }
    }
    const conflict = conflictOf(state, this.edits)
    if (conflict !== undefined) throw new CommitConflictError(conflict)
  }

  /**
   * Checks the group's guard against the newest state. Must be called again when the state has
   * moved on. Throws if the group can't be committed, usually `CommitConflictError`.
   */
  check(versions: VersionSet): Promise<void> | undefined {
    const { guard } = this
    if (guard === undefined) return undefined
    return versions.holding((view, state) => guard.check(view, state.timestamp, NO_KEYS))
  }

  /**
   * Whether its payload depends on the state it meets: then all groups before it must be applied
   * first.
   */
  get needsState(): boolean {
    return this.provisional.size > 0 || !this.isRecordsOnly
  }

  /**
   * Whether it applies to any state: it holds only records, and tables created for them. A refusal
   * of other groups (maintenance, transactions) concerns only their callers, which get the error.
   */
  get isRecordsOnly(): boolean {
    return this.guard === undefined && this.edits.every((edit) => edit.type === 'create-table')
  }

  /** Approximate length of the payload. */
  get byteLength(): number {
    return this.#partBytes + this.records.byteLength
  }

  /** Takes over a payload that holds only records, and adds it. */
  append(payload: Uint8Array): void {
    this.#closePart()
    this.#addPart(payload)
  }

  /** Returns the entry's payload. No records may be added afterwards. */
  payload(): Uint8Array {
    if (this.#payload === undefined) {
      this.#closePart()
      const [only, second] = this.#parts
      this.#payload =
        only !== undefined && second === undefined && this.edits.length === 0
          ? only
          : this.#join([encodeEdits(this.edits), ...this.#parts])
      this.#parts = [this.#payload]
    }
    return this.#payload
  }

  /**
   * Sets the payloads that make up the group; a refused transaction's may be set again in another
   * combination.
   */
  protected setPayloads(payloads: readonly Uint8Array[]): void {
    const [only, second] = payloads
    this.#payload =
      only !== undefined && second === undefined
        ? only
        : joinPayloads(payloads, (bytes) => new Uint8Array(bytes))
  }

  /**
   * Returns the payload's memory to the pool: the log has finished with it, and it won't be asked
   * for again.
   */
  recycle(): void {
    if (this.#payload !== undefined) this.#buffers.give(this.#payload)
    this.#payload = undefined
    this.#parts = []
  }

  #join(payloads: readonly Uint8Array[]): Uint8Array {
    const joined = joinPayloads(payloads, (bytes) => this.#buffers.take(bytes))
    for (const part of payloads) this.#buffers.give(part)
    return joined
  }

  #closePart(): void {
    if (this.records.records > 0) this.#addPart(this.records.take())
  }

  #addPart(payload: Uint8Array): void {
    this.#parts.push(payload)
    this.#partBytes += payload.length
  }
}

function unset(): void {}
