import { copyBytes } from '@firn/bytes'
import type { CommitLog, LogEntry } from '@firn/commit-log'
import { type Env, type FirnError, isFirnError, type TimeSlice, waitFor } from '@firn/env'
import type { Edit } from '@firn/manifest'
import type { RecordKind } from '@firn/mvcc'
import { CommitConflictError } from '../../errors.js'
import type { Commit, Durability } from '../../write-options.js'
import { BufferPool } from '../append/buffer-pool.js'
import { CommitGroup } from '../append/commit-group.js'
import type { CommitGuard } from '../append/commit-guard.js'
import { ExclusiveLogAppender } from '../append/exclusive-log-appender.js'
import { batchPayload, type EncodedBatch } from '../append/payload.js'
import { SharedLogAppender } from '../append/shared-log-appender.js'
import { TransactionGroup } from '../append/transaction-group.js'
import type { TableIdentity } from '../view/table-identity.js'
import type { VersionSet } from '../view/version-set.js'
import { GroupQueue } from './group-queue.js'
import { GroupRunner } from './group-runner.js'
import { HandOver } from './hand-over.js'
import { LogSync } from './log-sync.js'
import { PendingTables } from './pending-tables.js'
import { WriteGate } from './write-gate.js'
import type { Hold } from './write-hold.js'
import type { WritePressure } from './write-pressure.js'

/**
 * A group of durable writes is closed at about this size. A group is applied without a turn of the
 * event loop. On a shared log, one group waits for the answer to another.
 */
const GROUP_BYTES = { exclusive: 1024 * 1024, shared: 4 * 1024 * 1024 }

export interface CommitterOptions {
  env: Env
  /** Decides when to give others a turn. */
  slice: TimeSlice
  log: CommitLog
  versions: VersionSet
  pressure: WritePressure
  /** See `OpenOptions`. */
  flushIntervalMs: number
  /** Reads the log up to its end into `versions`. */
  catchUp: () => Promise<void>
  /** Applies an entry of another process that was already read, if it is the next one. */
  applyNext: (entry: LogEntry) => void
  /** Called after commits are applied, and when a group of visible records is closed. */
  onProgress: () => void
  /** Called when a write begins to wait for back pressure. */
  onStall: () => void
}

/**
 * Group commit. Writes gather in a group while the one before is on its way to the log:
 *
 * 1. A write passes the gate (`WriteGate`) and joins the group that gathers. The first one of a
 *    group schedules a run (`GroupRunner`).
 * 2. A run closes the gathering group, gives it a version, appends it, and, once it is durable,
 *    shows its records to readers and wakes its writers. See `ExclusiveLogAppender` and
 *    `SharedLogAppender` for how it gets into a log of one process, and of many.
 * 3. On a log that only this process can append to, versions are known beforehand. There, buffered
 *    writes are shown at once, in a group of their own. They may only be shown while no older write
 *    waits to be durable: readers see versions in order. Such a group goes to the log when
 *    `HandOver` says so, and is synced when `LogSync` does.
 */
export class Committer {
  /** Memory for payloads. */
  readonly buffers: BufferPool = new BufferPool()
  readonly #log: CommitLog
  readonly #versions: VersionSet
  readonly #pressure: WritePressure
  readonly #onProgress: () => void
  readonly #queue: GroupQueue
  readonly #tables: PendingTables = new PendingTables()
  readonly #gate: WriteGate
  readonly #sync: LogSync
  readonly #handOver: HandOver
  readonly #runner: GroupRunner
  /** The appender, if this process alone appends to the log. */
  readonly #exclusive: ExclusiveLogAppender | undefined
  readonly #flushIntervalMs: number
  /** See `GROUP_BYTES`. */
  readonly #groupBytes: number

  constructor(options: CommitterOptions) {
    const { env, log, versions, pressure, onProgress, flushIntervalMs } = options
    this.#log = log
    this.#versions = versions
    this.#pressure = pressure
    this.#onProgress = onProgress
    this.#flushIntervalMs = flushIntervalMs
    this.#groupBytes = log.exclusive ? GROUP_BYTES.exclusive : GROUP_BYTES.shared
    this.#exclusive = log.exclusive ? new ExclusiveLogAppender(options) : undefined
    const tables = this.#tables
    const queue = new GroupQueue(this.buffers, pressure)
    const gate = new WriteGate(env, pressure, tables, options.onStall)
    const sync = new LogSync({
      env,
      log,
      gate,
      flushIntervalMs,
      handOver: () => this.sealVisible(),
      stop: (cause) => this.#runner.stop(cause, []),
    })
    const close = (): void => this.#closeGathering()
    const handOver = new HandOver({ ...options, queue, gate, sync, close })
    const appender =
      this.#exclusive ?? new SharedLogAppender({ ...options, stopped: () => gate.reason })
    this.#runner = new GroupRunner({ ...options, queue, tables, gate, appender, sync, handOver })
    this.#queue = queue
    this.#gate = gate
    this.#sync = sync
    this.#handOver = handOver
  }

  get isStopped(): boolean {
    return this.#runner.isStopped
  }

  /** Numbers of appended entries and of their payload bytes. */
  get totals(): { readonly entries: number; readonly bytes: number } {
    return this.#runner.totals
  }

  /** Writes one record. The arrays may be reused when the call returns. */
  write(
    table: TableIdentity,
    kind: RecordKind,
    key: Uint8Array,
    value: Uint8Array,
    durability: Durability,
    signal?: AbortSignal,
  ): Promise<Commit> {
    if (this.#gate.reason !== undefined) return Promise.reject(this.#gate.reason)
    if (this.#gate.isHeldUp) {
      return this.#writeLater(table, kind, copyBytes(key), copyBytes(value), durability, signal)
    }
    const id = table.idIn(this.#versions.state)
    if (durability === 'buffered' && id !== undefined && this.#showsAtOnce) {
      const group = this.#visibleGroup()
      const { timestamp } = group.commit as Commit
      const { active } = this.#versions
      active.table(id).insert(timestamp, kind, key, 0, key.length, value, 0, value.length)
      group.records.put(id, kind, key, 0, key.length, value, 0, value.length)
      if (this.#handOver.isDue(group)) return this.#handOver.handOver(group)
      return group.seen as Promise<Commit>
    }
    // Refused here if the table's options can't be encoded: in a group, other writes would fail
    // with it.
    if (id === undefined) this.#tables.assertCreatable([table])
    const group = this.#unseenGroup()
    const tableId = id ?? this.#tables.create(table, group)
    group.records.put(tableId, kind, key, 0, key.length, value, 0, value.length)
    group.tableIds.add(tableId)
    this.#joined(group)
    return group.durable
  }

  /** Separate from `write`, where its closure would cost memory in every call. */
  async #writeLater(
    table: TableIdentity,
    kind: RecordKind,
    key: Uint8Array,
    value: Uint8Array,
    durability: Durability,
    signal: AbortSignal | undefined,
  ): Promise<Commit> {
    await this.#gate.ready(signal)
    return this.write(table, kind, key, value, durability, signal)
  }

  /** Writes the records of a batch in one commit. */
  async writeBatch(
    batch: EncodedBatch,
    durability: Durability,
    signal?: AbortSignal,
  ): Promise<Commit> {
    // Checked again in the turn that continues: a drop that begins in between would change which
    // tables the batch means.
    while (this.#gate.isHeldUp) await this.#gate.ready(signal)
    const { state } = this.#versions
    const ids = batch.tables.map((table) => table.idIn(state))
    this.#tables.assertCreatable(batch.tables.filter((_, i) => ids[i] === undefined))
    const buffered = durability === 'buffered' && this.#showsAtOnce && !ids.includes(undefined)
    const group = buffered ? this.#visibleGroup() : this.#unseenGroup()
    const actual = batch.tables.map((table, i) => ids[i] ?? this.#tables.create(table, group))
    const payload = batchPayload(batch, actual)
    group.append(payload)
    for (const id of actual) group.tableIds.add(id)
    if (!buffered) {
      this.#joined(group)
      return group.durable
    }
    const commit = group.commit as Commit
    this.#versions.insertPayload(payload, commit.timestamp)
    return this.#handOver.isDue(group) ? this.#handOver.handOver(group) : commit
  }

  /**
   * Commits edits in an entry of their own. Throws `CommitConflictError` if they no longer apply to
   * what others have committed meanwhile, or if one of these tables is gone; throws what the guard
   * throws.
   */
  commitEdits(
    edits: readonly Edit[],
    tableIds: Iterable<number> = [],
    guard?: CommitGuard,
  ): Promise<Commit> {
    if (this.#gate.reason !== undefined) return Promise.reject(this.#gate.reason)
    this.#closeGathering({ followed: true })
    const group = new CommitGroup(this.buffers)
    group.guard = guard
    group.edits.push(...edits)
    for (const id of tableIds) group.tableIds.add(id)
    this.#queue.add(group)
    this.#runner.schedule()
    if (edits.some(({ type }) => type === 'drop-table')) this.#tables.drop(group.durable)
    return group.durable
  }

  /**
   * Writes the records of a batch in one commit, unless the guard finds a contradiction. Batches
   * that come while others are on their way share an entry.
   */
  async writeGuarded(
    batch: EncodedBatch,
    guard: CommitGuard,
    signal?: AbortSignal,
  ): Promise<Commit> {
    await this.#gate.ready(signal, guard.holdsWrites)
    const ids = await this.ensureTables(batch.tables)
    if (this.#gate.reason !== undefined) throw this.#gate.reason
    const payload = batchPayload(batch, ids)
    let group = this.#queue.transactions
    if (group === undefined || group.byteLength >= this.#groupBytes) {
      this.#closeGathering({ followed: true })
      group = new TransactionGroup(this.buffers)
      this.#queue.addTransactions(group)
      this.#runner.schedule()
    }
    group.queuedBytes += payload.length
    this.#pressure.addQueued(payload.length)
    return group.add(guard, payload, ids)
  }

  /**
   * Creates the missing tables, and returns the ids of all. For writes that need table ids before
   * their entry is made.
   */
  async ensureTables(tables: readonly TableIdentity[]): Promise<number[]> {
    const missing = tables.filter((table) => table.idIn(this.#versions.state) === undefined)
    if (missing.length > 0) {
      if (this.#gate.reason !== undefined) throw this.#gate.reason
      this.#tables.assertCreatable(missing)
      const group = this.#unseenGroup()
      for (const table of missing) this.#tables.create(table, group)
      this.#runner.schedule()
      await group.durable
    }
    return tables.map((table) => {
      const id = table.idIn(this.#versions.state)
      if (id === undefined)
        throw new CommitConflictError(`table ${table.name} was dropped meanwhile`)
      return id
    })
  }

  /** See `WriteGate.ready`. */
  ready(signal?: AbortSignal, holds?: boolean): Promise<void> {
    return this.#gate.ready(signal, holds)
  }

  /**
   * Holds up all writes except those whose guard holds the others up. Earlier writes are settled
   * when it resolves.
   */
  async holdWrites(signal: AbortSignal | undefined): Promise<Hold> {
    const hold = await this.#gate.hold(signal)
    try {
      this.#closeGathering()
      const settled = this.#queue.newest?.durable.then(
        () => {},
        () => {},
      )
      await waitFor(settled ?? Promise.resolve(), signal)
      return hold
    } catch (error) {
      hold.release()
      throw error
    }
  }

  /** Resolves when everything written so far is durable. */
  async flush(): Promise<void> {
    if (this.#gate.reason !== undefined) throw this.#gate.reason
    this.#closeGathering()
    const { newest } = this.#queue
    await newest?.durable.catch((error: unknown) => {
      // A refused write fails alone: its writer was told, and nothing else is lost.
      if (this.#log.exclusive && this.#gate.reason === undefined) return
      // A refused maintenance commit loses nothing, and everything before it is settled.
      if (newest.isRecordsOnly || !isFirnError(error, 'FIRN_COMMIT_CONFLICT')) throw error
    })
    await this.#sync.sync()
  }

  /**
   * Flushes for close. After writes were stopped it fails only if buffered writes were lost;
   * writers of all others were told.
   */
  async drain(): Promise<void> {
    if (this.#gate.reason !== undefined) return this.#sync.rescue(this.#gate.reason)
    return this.flush().catch((error: unknown) => {
      // On a shared log, no write is shown before it is in the log: every writer waits for that,
      // and was told.
      if (this.#log.exclusive) throw error
    })
  }

  /** Refuses all writes from now on, with this error. */
  close(reason: FirnError): void {
    this.#gate.close(reason)
  }

  /**
   * Hands over buffered writes at the end of the process, blocking the thread: each later write
   * goes at once, and the log writes and syncs what it can.
   */
  handOverAtEnd(): void {
    if (this.#gate.reason !== undefined) return
    this.#handOver.gatherNoMore()
    this.sealVisible()
    this.#exclusive?.begin(this.#queue.closed)
    this.#log.writeOut?.({ durable: this.#flushIntervalMs !== Number.POSITIVE_INFINITY })
  }

  /** Puts later writes into another memtable than earlier ones. */
  startSegment(): void {
    this.#queue.startSegment()
  }

  /** Closes the version of the visible writes: later writes come after it. */
  sealVisible(): void {
    if (this.#queue.gathering?.visible === true) this.#closeGathering()
  }

  /** True if a buffered write may be shown before it is in the log. */
  get #showsAtOnce(): boolean {
    return this.#exclusive !== undefined && this.#queue.isSeen
  }

  /** Returns the group for buffered writes that are shown at once; then no other group gathers. */
  #visibleGroup(): CommitGroup {
    const { gathering } = this.#queue
    if (gathering !== undefined) return gathering
    const commit = (this.#exclusive as ExclusiveLogAppender).nextCommit()
    const group = this.#queue.gather(commit)
    this.#versions.show(commit.version, commit.timestamp)
    this.#sync.buffering()
    return group
  }

  #unseenGroup(): CommitGroup {
    if (this.#queue.gathering?.visible === true) this.#closeGathering({ followed: true })
    return this.#queue.gathering ?? this.#queue.gather()
  }

  /** Called when a write has joined the gathering group. */
  #joined(group: CommitGroup): void {
    if (group.byteLength >= this.#groupBytes) this.#closeGathering()
    this.#runner.schedule()
  }

  /** `followed`: a durable group follows, and a visible one is written and synced with it. */
  #closeGathering({ followed = false }: { followed?: boolean } = {}): void {
    const group = this.#queue.closeGathering(followed)
    if (group === undefined) return
    this.#runner.schedule()
    if (!followed) this.#exclusive?.begin([group])
    // A memtable may be sealed here: everything in it belongs to closed groups.
    if (group.visible) this.#onProgress()
  }
}
