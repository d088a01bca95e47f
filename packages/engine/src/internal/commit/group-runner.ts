import type { CommitLog } from '@firn/commit-log'
import type { Env } from '@firn/env'
import type { Commit } from '../../write-options.js'
import type { CommitGroup } from '../append/commit-group.js'
import type { GroupAppender, GroupOutcomes } from '../append/group-appender.js'
import type { VersionSet } from '../view/version-set.js'
import type { GroupQueue } from './group-queue.js'
import type { HandOver } from './hand-over.js'
import type { LogSync } from './log-sync.js'
import type { PendingTables } from './pending-tables.js'
import type { WriteGate } from './write-gate.js'
import type { WritePressure } from './write-pressure.js'

export interface GroupRunnerOptions {
  env: Env
  log: CommitLog
  versions: VersionSet
  pressure: WritePressure
  queue: GroupQueue
  tables: PendingTables
  gate: WriteGate
  appender: GroupAppender
  sync: LogSync
  handOver: HandOver
  /** Called after commits are applied. */
  onProgress: () => void
}

/**
 * Takes groups from the queue to the log, one run at a time, while there are any. When a group is
 * in the log, the runner folds it into the state, shows it to readers and wakes its writers. A
 * refused group takes no version and doesn't affect others.
 */
export class GroupRunner implements GroupOutcomes {
  readonly #options: GroupRunnerOptions
  readonly #versions: VersionSet
  readonly #queue: GroupQueue
  readonly #onProgress: () => void
  #running: Promise<void> | undefined
  readonly totals: { entries: number; bytes: number } = { entries: 0, bytes: 0 }

  constructor(options: GroupRunnerOptions) {
    this.#options = options
    this.#versions = options.versions
    this.#queue = options.queue
    this.#onProgress = options.onProgress
  }

  /** Starts a run in a microtask, so that writers woken together all join its first group. */
  schedule(): void {
    this.#running ??= Promise.resolve().then(() => this.#run())
  }

  get isStopped(): boolean {
    return this.#options.gate.reason !== undefined
  }

  applied(group: CommitGroup, commit: Commit): void {
    const { log, sync, handOver } = this.#options
    this.totals.entries++
    this.totals.bytes += group.queuedBytes
    // A refresh may have read the entry from a shared log before the append's reply came.
    if (commit.version > this.#versions.state.version) {
      this.#versions.apply({ ...commit, token: '', payload: group.payload() }, group.visible)
    }
    group.commit = commit
    sync.applied(group)
    if (!group.visible) handOver.durableApplied()
    // A shared log may still use the payload: a request that was given up may be under way.
    if (log.exclusive) group.recycle()
    this.#settled(group)
    group.resolve(commit)
    this.#onProgress()
  }

  refused(group: CommitGroup, error: unknown): void {
    // The next group starts the segment instead.
    if (group.startsSegment) this.#queue.startSegment()
    this.#settled(group)
    group.reject(error)
    this.#onProgress()
  }

  /**
   * Refuses all writes from now on, including those under way: `groups`, and the groups in the
   * queue.
   */
  stop(cause: unknown, groups: readonly CommitGroup[]): void {
    const { gate, sync } = this.#options
    gate.stop(cause)
    for (const group of [...groups, ...this.#queue.takeAll()]) {
      sync.abandoned(group)
      group.reject(gate.reason)
    }
  }

  async #run(): Promise<void> {
    const { env, pressure, appender } = this.#options
    let groups: CommitGroup[] = []
    try {
      while (this.#queue.hasWork) {
        // Writes that come while other processes have their turn join the group.
        const turnMs = appender.pauseMs()
        if (turnMs > 0) await env.sleep(turnMs)
        if (this.#queue.gathering?.visible === false) this.#queue.closeGathering(false)
        groups = this.#queue.take()
        const delayMs = pressure.nextDelayMs()
        if (delayMs > 0) {
          appender.begin(groups)
          await env.sleep(delayMs)
        }
        await appender.append(groups, this)
      }
    } catch (error) {
      // Nothing above should throw. If something does (memory has run out), no writer may wait
      // forever.
      this.stop(error, groups)
    } finally {
      this.#running = undefined
    }
  }

  #settled(group: CommitGroup): void {
    this.#queue.settled(group)
    this.#options.tables.settled(group)
  }
}
