import { copyBytes } from '@firn/bytes'
import type { AppendResult, CommitLog, LogEntry } from '@firn/commit-log'
import { type Env, type FirnError, isFirnError, type TimeSlice, ulid, waitFor } from '@firn/env'
import { conflictOf, type Edit } from '@firn/manifest'
import { type RecordKind, TimestampClock } from '@firn/mvcc'
import { CommitConflictError, WriteStoppedError } from '../../errors.js'
import type { Commit, Durability } from '../../write-options.js'
import type { TableIdentity } from '../view/table-identity.js'
import type { VersionSet } from '../view/version-set.js'
import { BufferPool } from './buffer-pool.js'
import { batchPayload, CommitGroup, type EncodedBatch } from './commit-group.js'
import type { CommitGuard } from './commit-guard.js'
import { DropGate } from './drop-gate.js'
import { SharedLogAppender } from './shared-log-appender.js'
import { TablesToCome } from './tables-to-come.js'
import { TransactionGroup } from './transaction-group.js'
import { type Hold, WriteHold } from './write-hold.js'
import type { WritePressure } from './write-pressure.js'

/** Buffered writes are handed to the log in groups of at most about this size. */
const HAND_OVER_BYTES = 64 * 1024
/**
 * A buffered write is handed to the log at once when none was for so many milliseconds; what
 * gathers after that is when they are over. A hand-over costs some 20 µs, a write in a group 1.
 */
const HAND_OVER_MS = 1
/** Of the writes that gather in a group, each so-many-th looks at the clock: a power of two. */
const WRITES_PER_LOOK = 8
/**
 * Buffered writes are waited for when so many bytes were handed to the log, and it has to write
 * them still.
 */
const MAX_PENDING_BYTES = 1024 * 1024
/** After so many buffered bytes without a turn of the event loop a write gives it one. */
const TURN_BYTES = 256 * 1024

/**
 * A group of writes that wait to be durable is closed at about this size. What is in a group is
 * applied without a turn of the event loop. On a shared log, one group waits for the answer to
 * another.
 */
const GROUP_BYTES = { exclusive: 1024 * 1024, shared: 4 * 1024 * 1024 }

export interface CommitterOptions {
  env: Env
  /** By which it gives others a turn. */
  slice: TimeSlice
  log: CommitLog
  versions: VersionSet
  pressure: WritePressure
  /** See `OpenOptions`. */
  flushIntervalMs: number
  /** Reads the log up to its end, into `versions`. */
  catchUp: () => Promise<void>
  /** Applies an entry of another process that was read already, if it is the next one. */
  applyNext: (entry: LogEntry) => void
  /** Called after commits were applied, and when a group of visible records is closed. */
  onProgress: () => void
}

/**
 * Group commit. Writes gather in a group while the one before is on its way to the log:
 *
 * 1. A write joins the gathering group. The first one schedules a run, as a microtask, so that
 *    writers which were woken by the same commit all get into the next one.
 * 2. A run closes the gathering group, gives it a version, appends it, and, once it is durable,
 *    folds it into the state, shows its records to readers and wakes its writers. It goes on while
 *    there are groups.
 * 3. On a log that only this process can append to, versions are known beforehand. There, buffered
 *    writes are shown at once, in a group of their own. They may only be shown while no older write
 *    waits to be durable: readers see versions in order.
 *    - The group is handed to the log, which writes it without waiting for a sync: by the write
 *      that makes it large enough, or that comes a millisecond after the last hand-over; by a
 *      timer, when no write comes; with a durable write that follows; or when `flush` or a snapshot
 *      asks for it. So a loop that never lets the event loop have a turn loses no more to the end
 *      of its process than one that does.
 *    - Within `flushIntervalMs` the log is synced. The timer for that is armed only while something
 *      is unsynced, and doesn't keep the process alive.
 * 4. On a shared log, an append that loses to another process reads what was committed meanwhile
 *    and tries the next version; edits whose inputs are gone are a conflict. Now and then a run
 *    waits before it closes the gathering group, so that other processes get their turn.
 *
 * A group that can't be encoded, or doesn't apply, is refused alone, and takes no version.
 *
 * A failed append to an exclusive log stops all writes: what is on disk is then unknown, and a
 * later success would make durable what was reported as failed.
 */
export class Committer {
  readonly #env: Env
  readonly #slice: TimeSlice
  readonly #clock: TimestampClock
  readonly #log: CommitLog
  readonly #shared: SharedLogAppender
  readonly #versions: VersionSet
  readonly #pressure: WritePressure
  readonly #catchUp: () => Promise<void>
  readonly #onProgress: () => void
  /** Where the memory of payloads comes from. */
  readonly buffers: BufferPool = new BufferPool()

  #gathering: CommitGroup | undefined
  #closed: CommitGroup[] = []
  /** The one of those that transactions may still join. */
  #transactions: TransactionGroup | undefined
  /** The group that was closed last, until it is durable. */
  #newest: CommitGroup | undefined
  /** Groups whose records readers don't see yet. */
  #unseen = 0
  #running: Promise<void> | undefined
  #stopped: FirnError | undefined
  #lostBuffered = false
  /** The last group of buffered writes that is in the log, until it is durable there. */
  #unsynced: CommitGroup | undefined
  #segmentWanted = false
  readonly #flushIntervalMs: number
  /** Whether buffered writes go to the log early: only where it keeps them without a sync. */
  readonly #handsOver: boolean
  /** See `HAND_OVER_BYTES`. */
  #handOverBytes: number
  /** See `GROUP_BYTES`. */
  readonly #groupBytes: number
  /** When the last group was handed to the log, or durable there, by the monotonic clock. */
  #handedOverAtMs = Number.NEGATIVE_INFINITY
  /** Whether a timer waits that hands over what gathers. */
  #timerWaits = false
  /** What was handed over since the event loop had a turn. */
  #bytesSinceTurn = 0
  /** When the oldest buffered write was made that isn't durable, by the monotonic clock. */
  #unsyncedSinceMs: number | undefined
  /** Whether something waits for the time to sync. */
  #syncComes = false
  /** Ends that wait. */
  readonly #ended: AbortController = new AbortController()
  readonly #drops: DropGate = new DropGate()
  readonly #hold: WriteHold
  // The newest version and timestamp given out, which may not be in the state yet.
  #version: number
  #timestamp: number
  readonly #newTables: TablesToCome
  /** How many entries were appended, and how many bytes of payload. */
  appendedEntries = 0
  appendedBytes = 0

  constructor(options: CommitterOptions) {
    this.#env = options.env
    this.#slice = options.slice
    this.#clock = new TimestampClock(options.env)
    this.#log = options.log
    const stopped = (): FirnError | undefined => this.#stopped
    this.#shared = new SharedLogAppender({ ...options, clock: this.#clock, stopped })
    this.#versions = options.versions
    this.#pressure = options.pressure
    this.#catchUp = options.catchUp
    this.#onProgress = options.onProgress
    this.#flushIntervalMs = options.flushIntervalMs
    this.#hold = new WriteHold(options.env)
    this.#handsOver = options.log.exclusive && options.log.sync !== undefined
    this.#handOverBytes = this.#handsOver ? HAND_OVER_BYTES : TURN_BYTES
    this.#groupBytes = options.log.exclusive ? GROUP_BYTES.exclusive : GROUP_BYTES.shared
    this.#newTables = new TablesToCome()
    this.#version = options.versions.state.version
    this.#timestamp = options.versions.state.timestamp
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
    if (this.#stopped !== undefined) return Promise.reject(this.#stopped)
    if (this.#isHeldUp) {
      return this.#writeLater(table, kind, copyBytes(key), copyBytes(value), durability, signal)
    }
    const id = table.idIn(this.#versions.state)
    if (durability === 'buffered' && id !== undefined && this.#showsAtOnce) {
      const group = this.#visibleGroup()
      const { timestamp } = group.commit as Commit
      const { active } = this.#versions
      active.table(id).insert(timestamp, kind, key, 0, key.length, value, 0, value.length)
      group.records.put(id, kind, key, 0, key.length, value, 0, value.length)
      return this.#isDue(group) ? this.#handOver(group) : (group.seen as Promise<Commit>)
    }
    // What can't be encoded is refused here: in a group, others would fail with it.
    if (id === undefined) this.#newTables.assertCreatable([table])
    const group = this.#unseenGroup()
    const tableId = id ?? this.#newTables.add(table, group)
    group.records.put(tableId, kind, key, 0, key.length, value, 0, value.length)
    group.tableIds.add(tableId)
    if (group.byteLength >= this.#groupBytes) this.#closeGathering()
    this.#schedule()
    return group.durable
  }

  /** Apart from `write`, which would make room for a closure in every call. */
  async #writeLater(
    table: TableIdentity,
    kind: RecordKind,
    key: Uint8Array,
    value: Uint8Array,
    durability: Durability,
    signal: AbortSignal | undefined,
  ): Promise<Commit> {
    await this.ready(signal)
    return this.write(table, kind, key, value, durability, signal)
  }

  /** Writes the records of a batch as one. */
  async writeBatch(
    batch: EncodedBatch,
    durability: Durability,
    signal?: AbortSignal,
  ): Promise<Commit> {
    // Asked again in the turn that goes on: a drop that begins in between would decide which tables
    // it means.
    while (this.#isHeldUp) await this.ready(signal)
    const { state } = this.#versions
    const ids = batch.tables.map((table) => table.idIn(state))
    this.#newTables.assertCreatable(batch.tables.filter((_, i) => ids[i] === undefined))
    const buffered = durability === 'buffered' && this.#showsAtOnce && !ids.includes(undefined)
    const group = buffered ? this.#visibleGroup() : this.#unseenGroup()
    const actual = batch.tables.map((table, i) => ids[i] ?? this.#newTables.add(table, group))
    const payload = batchPayload(batch, actual)
    group.append(payload)
    for (const id of actual) group.tableIds.add(id)
    if (!buffered) {
      if (group.byteLength >= this.#groupBytes) this.#closeGathering()
      this.#schedule()
      return group.durable
    }
    this.#versions.insertPayload(payload, (group.commit as Commit).timestamp)
    return this.#isDue(group) ? this.#handOver(group) : (group.commit as Commit)
  }

  /**
   * Commits edits in an entry of their own. Throws `CommitConflictError` where they don't apply any
   * more to what others committed meanwhile, where one of these tables is gone, or where the guard
   * does.
   */
  commitEdits(
    edits: readonly Edit[],
    tableIds: Iterable<number> = [],
    guard?: CommitGuard,
  ): Promise<Commit> {
    if (this.#stopped !== undefined) return Promise.reject(this.#stopped)
    this.#closeGathering({ followed: true })
    const group = new CommitGroup(this.buffers)
    group.guard = guard
    group.edits.push(...edits)
    for (const id of tableIds) group.tableIds.add(id)
    this.#unseen++
    this.#close(group)
    if (edits.some(({ type }) => type === 'drop-table')) this.#drops.close(group.durable)
    return group.durable
  }

  /**
   * Writes the records of a batch as one, unless the guard finds them contradicted. Those that come
   * while others are on their way share an entry.
   */
  async writeGuarded(
    batch: EncodedBatch,
    guard: CommitGuard,
    signal?: AbortSignal,
  ): Promise<Commit> {
    await this.ready(signal, guard.holdsWrites)
    const ids = await this.ensureTables(batch.tables)
    if (this.#stopped !== undefined) throw this.#stopped
    const payload = batchPayload(batch, ids)
    let group = this.#transactions
    if (group === undefined || group.byteLength >= this.#groupBytes) {
      this.#closeGathering({ followed: true })
      group = new TransactionGroup(this.buffers)
      this.#unseen++
      this.#close(group)
      this.#transactions = group
    }
    group.queuedBytes += payload.length
    this.#pressure.addQueued(payload.length)
    return group.add(guard, payload, ids)
  }

  /**
   * Resolves when a write may be made. Throws if none may any more, `WriteStalledError`, and the
   * signal's reason: then nothing is written. `holds`: for the one that others wait for.
   */
  async ready(signal?: AbortSignal, holds = false): Promise<void> {
    for (;;) {
      if (this.#stopped !== undefined) throw this.#stopped
      const others = this.#drops.wait ?? (holds ? undefined : this.#hold.wait)
      if (others !== undefined) await waitFor(others, signal)
      else if (this.#pressure.isBlocked) await this.#pressure.wait(signal)
      else return
    }
  }

  /**
   * Holds up other writes than those of a guard that says so; those that were made before are
   * settled then.
   */
  async holdWrites(signal: AbortSignal | undefined): Promise<Hold> {
    const hold = await this.#hold.take(signal)
    try {
      this.#closeGathering()
      const settled = this.#newest?.durable.then(
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

  /** Whether a write has to wait, or can't be made any more: `ready` finds out which. */
  get #isHeldUp(): boolean {
    return (
      this.#stopped !== undefined ||
      this.#drops.wait !== undefined ||
      this.#hold.wait !== undefined ||
      this.#pressure.isBlocked
    )
  }

  /** Resolves when everything written so far is durable. */
  async flush(): Promise<void> {
    if (this.#stopped !== undefined) throw this.#stopped
    this.#closeGathering()
    const newest = this.#newest
    await newest?.durable.catch((error: unknown) => {
      // What is refused alone loses nothing else: its writers were told.
      if (this.#log.exclusive && this.#stopped === undefined) return
      // Maintenance that is refused loses nothing, and what was before it is settled.
      if (newest.isRecordsOnly || !isFirnError(error, 'FIRN_COMMIT_CONFLICT')) throw error
    })
    await this.#sync()
  }

  /** Has the log sync what was handed to it, and what is buffered. */
  async #sync(): Promise<void> {
    this.sealVisible()
    // What is buffered from here on is for the next sync.
    this.#unsyncedSinceMs = undefined
    const unsynced = this.#unsynced
    await this.#log.sync?.().catch((error: unknown) => {
      this.stop(error)
      throw this.#stopped
    })
    if (this.#unsynced === unsynced) this.#unsynced = undefined
  }

  /** What is written from now on goes into another memtable than what was written before. */
  startSegment(): void {
    this.#segmentWanted = true
  }

  /** Gives what is visible a version of its own: later writes come after it. */
  sealVisible(): void {
    if (this.#gathering?.visible === true) this.#closeGathering()
  }

  get isStopped(): boolean {
    return this.#stopped !== undefined
  }

  /** True where a buffered write may be shown before it is in the log. */
  get #showsAtOnce(): boolean {
    return this.#log.exclusive && this.#unseen === 0
  }

  #visibleGroup(): CommitGroup {
    let group = this.#gathering
    if (group === undefined) {
      group = new CommitGroup(this.buffers, this.#nextCommit())
      this.#gathering = group
      const { version, timestamp } = group.commit as Commit
      this.#versions.show(version, timestamp)
      if (this.#handsOver && this.#unsyncedSinceMs === undefined) {
        this.#unsyncedSinceMs = this.#env.monotonic()
        const isBounded = this.#flushIntervalMs !== Number.POSITIVE_INFINITY
        if (isBounded && !this.#syncComes) void this.#syncInTime()
      }
    }
    return group
  }

  #unseenGroup(): CommitGroup {
    if (this.#gathering?.visible === true) this.#closeGathering({ followed: true })
    if (this.#gathering === undefined) {
      this.#gathering = new CommitGroup(this.buffers)
      this.#unseen++
    }
    return this.#gathering
  }

  #nextCommit(): Commit {
    this.#version++
    this.#timestamp = this.#clock.next(this.#timestamp)
    return { version: this.#version, timestamp: this.#timestamp }
  }

  /**
   * Whether the write that just joined a group of buffered ones has to hand it over. Otherwise a
   * later one will, or the next turn of the event loop.
   */
  #isDue(group: CommitGroup): boolean {
    if (group.byteLength >= this.#handOverBytes) return true
    if (!this.#handsOver) return false
    if ((group.writes++ & (WRITES_PER_LOOK - 1)) === 0) {
      const now = this.#env.monotonic()
      if (now - this.#handedOverAtMs >= HAND_OVER_MS) return true
      if (!this.#timerWaits) void this.#handOverSoon()
    }
    return false
  }

  async #handOverSoon(): Promise<void> {
    this.#timerWaits = true
    try {
      await this.#env.sleep(HAND_OVER_MS, this.#ended.signal)
    } catch {
      return
    } finally {
      this.#timerWaits = false
      this.#bytesSinceTurn = 0
    }
    if (this.#gathering?.visible !== true || this.#stopped !== undefined) return
    this.#handedOverAtMs = this.#env.monotonic()
    this.#closeGathering()
  }

  /**
   * Hands a group of buffered writes to the log. Now and then the writer waits for a turn of the
   * event loop: a loop of buffered writes awaits nothing else, and syncs, flushes and compactions
   * would stand still until it is held up.
   */
  #handOver(group: CommitGroup): Promise<Commit> {
    const now = this.#env.monotonic()
    this.#handedOverAtMs = now
    this.#bytesSinceTurn += group.byteLength
    this.#closeGathering()
    const isPending = (this.#log.pendingBytes ?? 0) > MAX_PENDING_BYTES
    const seen = isPending ? group.durable : (group.seen as Promise<Commit>)
    const isDue =
      this.#bytesSinceTurn >= TURN_BYTES ||
      now - (this.#unsyncedSinceMs ?? now) > this.#flushIntervalMs
    const turn = this.#slice.look() ?? (isDue ? this.#env.yield() : undefined)
    if (turn === undefined) return seen
    this.#bytesSinceTurn = 0
    // The log may have failed during the turn: what was lost must not be acknowledged after that.
    return turn.then(() => (this.#stopped === undefined ? seen : group.durable))
  }

  /**
   * For the end of the process, holding up the thread: hands over what is buffered, each later
   * write at once, and has the log write and sync what it can.
   */
  handOverAtEnd(): void {
    if (this.#stopped !== undefined) return
    this.#handOverBytes = 0
    this.sealVisible()
    this.#appendVisible(this.#closed)
    this.#log.writeOut?.({ durable: this.#flushIntervalMs !== Number.POSITIVE_INFINITY })
  }

  /**
   * Syncs the log as long as something is buffered that isn't durable, each time when it is due.
   */
  async #syncInTime(): Promise<void> {
    this.#syncComes = true
    const { signal } = this.#ended
    try {
      // After the write that is being made.
      await undefined
      while (this.#unsyncedSinceMs !== undefined && this.#stopped === undefined) {
        const leftMs = this.#unsyncedSinceMs + this.#flushIntervalMs - this.#env.monotonic()
        if (leftMs > 0) await this.#env.sleep(leftMs, signal, { background: true })
        else await this.#sync()
      }
    } catch {
      // Closed; or stopped, which the next write is told.
    } finally {
      this.#syncComes = false
    }
  }

  /**
   * `followed`: by a group that will be durable, with which a visible one is written and synced.
   */
  #closeGathering({ followed = false }: { followed?: boolean } = {}): void {
    const group = this.#gathering
    if (group === undefined) return
    this.#gathering = undefined
    group.followed = followed
    this.#close(group)
    if (!followed) this.#appendVisible([group])
    // A memtable may be sealed here: everything in it belongs to closed groups.
    if (group.visible) this.#onProgress()
  }

  #close(group: CommitGroup): void {
    group.startsSegment = this.#segmentWanted
    this.#segmentWanted = false
    this.#closed.push(group)
    this.#newest = group
    group.queuedBytes = group.byteLength
    this.#pressure.addQueued(group.queuedBytes)
    this.#schedule()
  }

  /**
   * Hands visible groups to the log, which nothing is ahead of. What comes of it is for the run.
   */
  #appendVisible(groups: readonly CommitGroup[]): void {
    for (const group of groups) if (group.visible) group.appended ??= this.#append(group)
  }

  #schedule(): void {
    this.#running ??= Promise.resolve().then(() => this.#run())
  }

  async #run(): Promise<void> {
    let groups: CommitGroup[] = []
    try {
      for (;;) {
        if (this.#closed.length === 0 && this.#gathering?.visible !== false) return
        // What comes while other processes have their turn joins the group.
        const turnMs = this.#log.exclusive ? 0 : this.#shared.pauseMs()
        if (turnMs > 0) await this.#env.sleep(turnMs)
        if (this.#gathering?.visible === false) this.#closeGathering()
        groups = this.#closed
        this.#closed = []
        this.#transactions = undefined
        const delayMs = this.#pressure.nextDelayMs()
        if (delayMs > 0) {
          this.#appendVisible(groups)
          await this.#env.sleep(delayMs)
        }
        if (this.#log.exclusive) await this.#appendExclusive(groups)
        else for (const group of groups) await this.#appendShared(group)
        const turn = this.#slice.look()
        if (turn !== undefined) await turn
      }
    } catch (error) {
      // Nothing above may throw; if something does (no memory is left), no writer may wait for
      // ever.
      this.#stop(error, groups)
    } finally {
      this.#running = undefined
    }
  }

  async #appendExclusive(groups: readonly CommitGroup[]): Promise<void> {
    let from = 0
    while (from < groups.length && this.#stopped === undefined) {
      // Groups of records go to the log together. One that changes files or tables is held against
      // the state that it will meet, so all before it have to be applied.
      let to = from + 1
      if (groups[from]?.needsState === false) {
        while (groups[to]?.needsState === false) to++
        await this.#appendPipelined(groups.slice(from, to), groups.slice(to))
      } else {
        await this.#appendChecked(groups[from] as CommitGroup, groups.slice(to))
      }
      from = to
    }
    // Stopped from outside meanwhile: nobody else tells these.
    if (this.#stopped !== undefined) this.#rejectAll(groups.slice(from))
  }

  async #appendChecked(group: CommitGroup, later: readonly CommitGroup[]): Promise<void> {
    try {
      // Nobody else changes the state of an exclusive log.
      await group.check(this.#versions)
      const { state } = this.#versions
      group.rebase(state)
      const conflict = group.missingTable(state) ?? conflictOf(state, group.edits)
      if (conflict !== undefined) throw new CommitConflictError(conflict)
    } catch (error) {
      this.#refuse(group, error)
      return
    }
    if (this.#stopped === undefined) return this.#appendPipelined([group], later)
    this.#rejectAll([group])
  }

  /** Tells a group's writers that it isn't committed. Whatever comes after it goes on. */
  #refuse(group: CommitGroup, error: unknown): void {
    // What it was asked to begin, the next one begins.
    if (group.startsSegment) this.#segmentWanted = true
    this.#settled(group)
    group.reject(error)
  }

  async #appendPipelined(
    groups: readonly CommitGroup[],
    later: readonly CommitGroup[],
  ): Promise<void> {
    const failures = encodeAll(groups)
    const appends: Promise<AppendResult>[] = []
    let next = 0
    for (const [i, group] of groups.entries()) {
      const failure = failures.get(group)
      if (failure !== undefined) {
        this.#refuse(group, failure.error)
        continue
      }
      try {
        if (next === 0) {
          for (const each of groups) {
            if (!failures.has(each)) appends.push(each.appended ?? this.#append(each))
          }
        }
        const result = await (appends[next++] as Promise<AppendResult>)
        if (!result.appended) throw new CommitConflictError('another process wrote to the log')
        this.#applied(group, group.commit as Commit)
        const turn = this.#slice.look()
        if (turn !== undefined) await turn
      } catch (error) {
        this.#lostBuffered ||= group.visible
        this.#stop(error, [...groups.slice(i), ...later])
        return
      }
    }
  }

  #append(group: CommitGroup): Promise<AppendResult> {
    group.commit ??= this.#nextCommit()
    const append = this.#log.append({
      ...group.commit,
      token: ulid(this.#env),
      payload: group.payload(),
      startsSegment: group.startsSegment,
      // Whoever buffers a write asks for no sync, but may get it with the one of who comes next.
      lazy: group.visible && !group.followed,
    })
    // Awaited in order by the caller; one that fails early isn't unhandled meanwhile.
    append.catch(() => {})
    return append
  }

  async #appendShared(group: CommitGroup): Promise<void> {
    try {
      this.#applied(group, await this.#shared.append(group))
    } catch (error) {
      this.#refuse(group, error)
      this.#onProgress()
      // Whether the entry exists is to be known before the next one is tried.
      if (isFirnError(error, 'FIRN_COMMIT_UNKNOWN')) await this.#catchUp().catch(() => {})
    }
  }

  #applied(group: CommitGroup, commit: Commit): void {
    this.appendedEntries++
    this.appendedBytes += group.queuedBytes
    // A refresh may have read the entry from a shared log before its append was answered.
    if (commit.version > this.#versions.state.version) {
      this.#versions.apply({ ...commit, token: '', payload: group.payload() }, group.visible)
    }
    group.commit = commit
    // One that waited to be durable has made all before it durable.
    this.#unsynced = group.visible ? group : undefined
    if (!group.visible) {
      this.#unsyncedSinceMs = undefined
      // Buffered writes that follow at once go to the log with the next durable one, in one write.
      if (this.#handsOver) this.#handedOverAtMs = this.#env.monotonic()
    }
    // A shared log may still be at it: a request that was given up may be under way.
    if (this.#log.exclusive) group.recycle()
    this.#settled(group)
    group.resolve(commit)
    this.#onProgress()
  }

  #settled(group: CommitGroup): void {
    if (this.#newest === group) this.#newest = undefined
    this.#pressure.addQueued(-group.queuedBytes)
    if (!group.visible) this.#unseen--
    this.#newTables.settled(group)
  }

  /**
   * `flush`, for close: after writes were stopped it fails only where buffered writes were lost, as
   * all others have been told.
   */
  async drain(): Promise<void> {
    if (this.#stopped === undefined) {
      return this.flush().catch((error: unknown) => {
        // Where nothing is shown before it is in the log, every writer waits for that, and was
        // told.
        if (this.#log.exclusive) throw error
      })
    }
    if (this.#lostBuffered) throw this.#stopped
    // It may not be the log that failed.
    if (this.#unsynced !== undefined) {
      await this.#log.sync?.().catch(() => {
        throw this.#stopped
      })
    }
  }

  /**
   * Creates the tables that don't exist yet; the ids of all. For writes that name tables before
   * their entry is made.
   */
  async ensureTables(tables: readonly TableIdentity[]): Promise<number[]> {
    const missing = tables.filter((table) => table.idIn(this.#versions.state) === undefined)
    if (missing.length > 0) {
      if (this.#stopped !== undefined) throw this.#stopped
      this.#newTables.assertCreatable(missing)
      const group = this.#unseenGroup()
      for (const table of missing) this.#newTables.add(table, group)
      this.#schedule()
      await group.durable
    }
    return tables.map((table) => {
      const id = table.idIn(this.#versions.state)
      if (id === undefined)
        throw new CommitConflictError(`table ${table.name} was dropped meanwhile`)
      return id
    })
  }

  /** Refuses all writes from now on, with this error. */
  close(reason: FirnError): void {
    this.#stopped = reason
    this.#hold.end()
    this.#ended.abort(reason)
  }

  /** Refuses all writes from now on, those under way too. */
  stop(cause: unknown): void {
    this.#stop(cause, [])
  }

  #stop(cause: unknown, groups: readonly CommitGroup[]): void {
    this.#stopped ??= new WriteStoppedError(cause)
    const waiting = [...groups, ...this.#closed, ...(this.#gathering ? [this.#gathering] : [])]
    this.#closed = []
    this.#gathering = undefined
    this.#rejectAll(waiting)
    this.#hold.end()
    this.#pressure.end()
  }

  #rejectAll(groups: readonly CommitGroup[]): void {
    for (const group of groups) {
      // The log has it, unless it failed, which it tells who asks it to sync.
      if (group.appended !== undefined) this.#unsynced = group
      else if (group.visible) this.#lostBuffered = true
      group.reject(this.#stopped)
    }
  }
}

/**
 * Encodes groups before they get their versions; returns those that can't be encoded. The log
 * doesn't see them, and the next group takes their place. A visible group has its version already,
 * and readers have seen its records: where it fails, appending it does.
 */
function encodeAll(groups: readonly CommitGroup[]): Map<CommitGroup, { error: unknown }> {
  const failures = new Map<CommitGroup, { error: unknown }>()
  for (const group of groups) {
    if (group.visible) continue
    try {
      group.payload()
    } catch (error) {
      failures.set(group, { error })
    }
  }
  return failures
}
