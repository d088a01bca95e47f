import type { CommitLog } from '@firn/commit-log'
import type { Env, FirnError } from '@firn/env'
import type { CommitGroup } from '../append/commit-group.js'
import type { WriteGate } from './write-gate.js'

export interface LogSyncOptions {
  env: Env
  log: CommitLog
  gate: WriteGate
  /** See `OpenOptions`. */
  flushIntervalMs: number
  /** Hands buffered writes to the log. */
  handOver: () => void
  /** Called when the log can't sync: then no more writes may be made. */
  stop: (cause: unknown) => void
}

/**
 * Tracks which buffered writes aren't durable yet, and has the log sync them within
 * `flushIntervalMs`. Its timer runs only while something is unsynced, and doesn't keep the process
 * alive.
 */
export class LogSync {
  readonly #options: LogSyncOptions
  readonly #log: CommitLog
  /** The last buffered group in the log, until it is durable there. */
  #unsynced: CommitGroup | undefined
  /** Monotonic time of the oldest buffered write that isn't durable. */
  #sinceMs: number | undefined
  /** Whether a sync is scheduled. */
  #syncComes = false
  #lostBuffered = false

  constructor(options: LogSyncOptions) {
    this.#options = options
    this.#log = options.log
  }

  /** Called when a group of buffered writes begins. */
  buffering(): void {
    if (this.#log.sync === undefined || this.#sinceMs !== undefined) return
    const { env, flushIntervalMs } = this.#options
    this.#sinceMs = env.monotonic()
    const isBounded = flushIntervalMs !== Number.POSITIVE_INFINITY
    if (isBounded && !this.#syncComes) void this.#syncInTime()
  }

  /** Returns whether a sync is overdue because it waits for a turn of the event loop. */
  isLate(nowMs: number): boolean {
    return nowMs - (this.#sinceMs ?? nowMs) > this.#options.flushIntervalMs
  }

  /** Called when the group is in the log. A durable group has made everything before it durable. */
  applied(group: CommitGroup): void {
    this.#unsynced = group.visible ? group : undefined
    if (!group.visible) this.#sinceMs = undefined
  }

  /** Called when the group was under way as writes were stopped. */
  abandoned(group: CommitGroup): void {
    if (!group.visible) return
    // The log has the group unless it failed; then a sync reports that.
    if (group.appended !== undefined) this.#unsynced = group
    else this.#lostBuffered = true
  }

  /** Syncs what the log has, and what is buffered. */
  async sync(): Promise<void> {
    const { gate, stop } = this.#options
    this.#options.handOver()
    // Later buffered writes are for the next sync.
    this.#sinceMs = undefined
    const unsynced = this.#unsynced
    await this.#log.sync?.().catch((error: unknown) => {
      stop(error)
      throw gate.reason
    })
    if (this.#unsynced === unsynced) this.#unsynced = undefined
  }

  /**
   * Syncs what the log has after writes were stopped: something other than the log may have failed.
   * Throws `reason` if buffered writes were lost.
   */
  async rescue(reason: FirnError): Promise<void> {
    if (this.#lostBuffered) throw reason
    if (this.#unsynced === undefined) return
    await this.#log.sync?.().catch(() => {
      throw reason
    })
  }

  /** Syncs the log whenever it is due, while some buffered write isn't durable. */
  async #syncInTime(): Promise<void> {
    const { env, gate, flushIntervalMs } = this.#options
    this.#syncComes = true
    try {
      // Waits until the current write has been made.
      await undefined
      while (this.#sinceMs !== undefined && gate.reason === undefined) {
        const leftMs = this.#sinceMs + flushIntervalMs - env.monotonic()
        if (leftMs > 0) await env.sleep(leftMs, gate.ended, { background: true })
        else await this.sync()
      }
    } catch {
      // The database was closed; or writes were stopped, which the next write reports.
    } finally {
      this.#syncComes = false
    }
  }
}
