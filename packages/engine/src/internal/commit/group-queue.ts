import type { Commit } from '../../write-options.js'
import type { BufferPool } from '../append/buffer-pool.js'
import { CommitGroup } from '../append/commit-group.js'
import type { TransactionGroup } from '../append/transaction-group.js'
import type { WritePressure } from './write-pressure.js'

/**
 * Groups from their first write until they are in the log: one that gathers writes, and behind it
 * the closed ones, oldest first. Their bytes count for back pressure.
 */
export class GroupQueue {
  readonly #buffers: BufferPool
  readonly #pressure: WritePressure
  #gathering: CommitGroup | undefined
  #closed: CommitGroup[] = []
  #transactions: TransactionGroup | undefined
  #newest: CommitGroup | undefined
  /** Number of groups whose records readers don't see yet. */
  #unseen = 0
  #segmentWanted = false

  constructor(buffers: BufferPool, pressure: WritePressure) {
    this.#buffers = buffers
    this.#pressure = pressure
  }

  /** The gathering group. Only the newest writes may be in a group that readers already see. */
  get gathering(): CommitGroup | undefined {
    return this.#gathering
  }

  /** Closed groups that no run has taken yet. */
  get closed(): readonly CommitGroup[] {
    return this.#closed
  }

  /** The closed group that transactions may still join. */
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

  /** Whether a run has anything to do. Visible groups wait until they are closed. */
  get hasWork(): boolean {
    return this.#closed.length > 0 || this.#gathering?.visible === false
  }

  /** Begins a group. The previous one must be closed. `visibleAs`: see `CommitGroup.visible`. */
  gather(visibleAs?: Commit): CommitGroup {
    this.#gathering = new CommitGroup(this.#buffers, visibleAs)
    if (visibleAs === undefined) this.#unseen++
    return this.#gathering
  }

  /** Closes the gathering group, and returns it. `followed`: see `CommitGroup.followed`. */
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

  /** Takes all closed groups for a run. */
  take(): CommitGroup[] {
    const groups = this.#closed
    this.#closed = []
    this.#transactions = undefined
    return groups
  }

  /** Takes all groups, including the gathering one. */
  takeAll(): CommitGroup[] {
    const groups = this.take()
    if (this.#gathering !== undefined) groups.push(this.#gathering)
    this.#gathering = undefined
    return groups
  }

  /** Called when a group of the queue is in the log, or never will be. */
  settled(group: CommitGroup): void {
    if (this.#newest === group) this.#newest = undefined
    this.#pressure.addQueued(-group.queuedBytes)
    if (!group.visible) this.#unseen--
  }

  /** Makes the next closed group start a segment: see `NewLogEntry.startsSegment`. */
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
