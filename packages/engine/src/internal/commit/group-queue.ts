import type { Commit } from '../../write-options.js'
import type { BufferPool } from '../append/buffer-pool.js'
import { CommitGroup } from '../append/commit-group.js'
import type { TransactionGroup } from '../append/transaction-group.js'
import type { WritePressure } from './write-pressure.js'

/**
 * The groups between their first write and the log: one that gathers writes, and behind it those
 * that are closed, oldest first. What waits counts for back pressure.
 */
export class GroupQueue {
  readonly #buffers: BufferPool
  readonly #pressure: WritePressure
  #gathering: CommitGroup | undefined
  #closed: CommitGroup[] = []
  #transactions: TransactionGroup | undefined
  #newest: CommitGroup | undefined
  /** Groups whose records readers don't see yet. */
  #unseen = 0
  #segmentWanted = false

  constructor(buffers: BufferPool, pressure: WritePressure) {
    this.#buffers = buffers
    this.#pressure = pressure
  }

  /** The group that gathers. Only the newest writes may be in one that readers see already. */
  get gathering(): CommitGroup | undefined {
    return this.#gathering
  }

  /** Closed groups that no run has taken. */
  get closed(): readonly CommitGroup[] {
    return this.#closed
  }

  /** The one of those that transactions may still join. */
  get transactions(): TransactionGroup | undefined {
    return this.#transactions
  }

  /** The group that was closed last, until it is settled. */
  get newest(): CommitGroup | undefined {
    return this.#newest
  }

  /** Whether readers see all writes so far. */
  get isSeen(): boolean {
    return this.#unseen === 0
  }

  /** Whether there is anything for a run to do. Visible groups wait until they are closed. */
  get hasWork(): boolean {
    return this.#closed.length > 0 || this.#gathering?.visible === false
  }

  /** Begins a group. The one before has to be closed. `visibleAs`: see `CommitGroup.visible`. */
  gather(visibleAs?: Commit): CommitGroup {
    this.#gathering = new CommitGroup(this.#buffers, visibleAs)
    if (visibleAs === undefined) this.#unseen++
    return this.#gathering
  }

  /** Closes the group that gathers, and returns it. `followed`: see `CommitGroup.followed`. */
  closeGathering(followed: boolean): CommitGroup | undefined {
    const group = this.#gathering
    if (group === undefined) return undefined
    this.#gathering = undefined
    group.followed = followed
    this.#close(group)
    return group
  }

  /** Adds a group that gathers no other writes. */
  add(group: CommitGroup): void {
    this.#unseen++
    this.#close(group)
  }

  /** Adds a group that transactions may join until a run takes it. */
  addTransactions(group: TransactionGroup): void {
    this.add(group)
    this.#transactions = group
  }

  /** The closed groups, which a run takes over. */
  take(): CommitGroup[] {
    const groups = this.#closed
    this.#closed = []
    this.#transactions = undefined
    return groups
  }

  /** All groups, the gathering one too. */
  takeAll(): CommitGroup[] {
    const groups = this.take()
    if (this.#gathering !== undefined) groups.push(this.#gathering)
    this.#gathering = undefined
    return groups
  }

  /** A group of the queue is in the log, or won't be. */
  settled(group: CommitGroup): void {
    if (this.#newest === group) this.#newest = undefined
    this.#pressure.addQueued(-group.queuedBytes)
    if (!group.visible) this.#unseen--
  }

  /** The next group that is closed starts a segment: see `NewLogEntry.startsSegment`. */
  startSegment(): void {
    this.#segmentWanted = true
  }

  #close(group: CommitGroup): void {
    group.startsSegment = this.#segmentWanted
    this.#segmentWanted = false
    this.#closed.push(group)
    this.#newest = group
    group.queuedBytes = group.byteLength
    this.#pressure.addQueued(group.queuedBytes)
  }
}
