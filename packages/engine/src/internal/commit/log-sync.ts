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
  /** Hands what is buffered to the log. */
  handOver: () => void
  /** Called when the log can't sync: no write may be made any more. */
  stop: (cause: unknown) => void
}

/**
 * Knows which buffered writes aren't durable yet, and has the log sync them within
 * `flushIntervalMs`. The timer for that is armed only while something is unsynced, and doesn't keep
 * the process alive.
 */
export class LogSync {
  readonly #options: LogSyncOptions
  readonly #log: CommitLog
  /** The last group of buffered writes that is in the log, until it is durable there. */
  #unsynced: CommitGroup | undefined
  /** When the oldest buffered write was made that isn't durable, by the monotonic clock. */
  #sinceMs: number | undefined
  /** Whether something waits for the time to sync. */
  #syncComes = false
  #lostBuffered = false

  constructor(options: LogSyncOptions) {
    this.#options = options
    this.#log = options.log
  }

  /** A group of buffered writes begins. */
  buffering(): void {
    if (this.#log.sync === undefined || this.#sinceMs !== undefined) return
    const { env, flushIntervalMs } = this.#options
    this.#sinceMs = env.monotonic()
    const isBounded = flushIntervalMs !== Number.POSITIVE_INFINITY
    if (isBounded && !this.#syncComes) void this.#syncInTime()
  }

  /** Whether something should have been synced by now, which waits for a turn of the event loop. */
  isLate(nowMs: number): boolean {
    return nowMs - (this.#sinceMs ?? nowMs) > this.#options.flushIntervalMs
  }

  /** The group is in the log. One that waited to be durable has made all before it durable. */
  applied(group: CommitGroup): void {
    this.#unsynced = group.visible ? group : undefined
    if (!group.visible) this.#sinceMs = undefined
  }

  /** The group was under way when writes were stopped. */
  abandoned(group: CommitGroup): void {
    if (!group.visible) return
    // The log has it, unless it failed, which it tells who asks it to sync.
    if (group.appended !== undefined) this.#unsynced = group
    else this.#lostBuffered = true
  }

  /** Has the log sync what was handed to it, and what is buffered. */
  async sync(): Promise<void> {
    const { gate, stop } = this.#options
    this.#options.handOver()
    // What is buffered from here on is for the next sync.
    this.#sinceMs = undefined
    const unsynced = this.#unsynced
    await this.#log.sync?.().catch((error: unknown) => {
      stop(error)
      throw gate.reason
    })
    if (this.#unsynced === unsynced) this.#unsynced = undefined
  }

  /**
   * Has the log sync what it has, after writes were stopped: it may not be the log that failed.
   * Throws `reason` if buffered writes were lost.
   */
  async rescue(reason: FirnError): Promise<void> {
    if (this.#lostBuffered) throw reason
    if (this.#unsynced === undefined) return
    await this.#log.sync?.().catch(() => {
      throw reason
    })
  }

  /**
   * Syncs the log as long as something is buffered that isn't durable, each time when it is due.
   */
  async #syncInTime(): Promise<void> {
    const { env, gate, flushIntervalMs } = this.#options
    this.#syncComes = true
    try {
      // After the write that is being made.
      await undefined
      while (this.#sinceMs !== undefined && gate.reason === undefined) {
        const leftMs = this.#sinceMs + flushIntervalMs - env.monotonic()
        if (leftMs > 0) await env.sleep(leftMs, gate.ended, { background: true })
        else await this.sync()
      }
    } catch {
      // Closed; or stopped, which the next write is told.
    } finally {
      this.#syncComes = false
    }
  }
}
