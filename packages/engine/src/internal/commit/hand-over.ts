import type { CommitLog } from '@firn/commit-log'
import type { Env, TimeSlice } from '@firn/env'
import type { Commit } from '../../write-options.js'
import type { CommitGroup } from '../append/commit-group.js'
import type { GroupQueue } from './group-queue.js'
import type { LogSync } from './log-sync.js'
import type { WriteGate } from './write-gate.js'

/** Buffered writes are handed to the log in groups of at most about this size. */
const HAND_OVER_BYTES = 64 * 1024
/**
 * A buffered write is handed to the log at once if none was for this many milliseconds. Later
 * writes gather until they are over. A hand-over costs some 20 µs, a write in a group 1.
 */
const HAND_OVER_MS = 1
/** In a group, one write in this many looks at the clock; a power of two. */
const WRITES_PER_LOOK = 8
/** Buffered writes wait while the log has this many bytes left to write. */
const MAX_PENDING_BYTES = 1024 * 1024
/** A write gives the event loop a turn after this many buffered bytes without one. */
const TURN_BYTES = 256 * 1024

export interface HandOverOptions {
  env: Env
  /** Decides when to give others a turn. */
  slice: TimeSlice
  log: CommitLog
  queue: GroupQueue
  gate: WriteGate
  sync: LogSync
  /** Closes the gathering group, and hands it to the log. */
  close: () => void
}

/**
 * Decides when a group of buffered writes is handed to the log, which writes it without waiting for
 * a sync. That happens with the write that makes it large enough, or that comes a millisecond after
 * the last hand-over; by a timer, if no write comes; with a durable write that follows; or when
 * `flush` or a snapshot asks for it. So a loop that never gives the event loop a turn loses no more
 * at the end of its process than one that does.
 */
export class HandOver {
  readonly #options: HandOverOptions
  readonly #env: Env
  /** Whether buffered writes go to the log early: only if it keeps them without a sync. */
  readonly #isEarly: boolean
  /** See `HAND_OVER_BYTES`. */
  #bytes: number
  /** Monotonic time when the last group was handed to the log, or became durable there. */
  #handedOverAtMs = Number.NEGATIVE_INFINITY
  /** Whether a timer is set to hand over the gathering group. */
  #timerWaits = false
  /** Bytes handed over since the event loop had a turn. */
  #bytesSinceTurn = 0

  constructor(options: HandOverOptions) {
    const { env, log } = options
    this.#options = options
    this.#env = env
    this.#isEarly = log.exclusive && log.sync !== undefined
    this.#bytes = this.#isEarly ? HAND_OVER_BYTES : TURN_BYTES
  }

  /**
   * Returns whether the write that just joined a buffered group has to hand it over. Otherwise a
   * later write will, or the next turn of the event loop.
   */
  isDue(group: CommitGroup): boolean {
    if (group.byteLength >= this.#bytes) return true
    if (!this.#isEarly) return false
    if ((group.writes++ & (WRITES_PER_LOOK - 1)) === 0) {
      const now = this.#env.monotonic()
      if (now - this.#handedOverAtMs >= HAND_OVER_MS) return true
      if (!this.#timerWaits) void this.#handOverSoon()
    }
    return false
  }

  /**
   * Hands over the gathering group; returns the promise for its writer. Now and then that promise
   * takes a turn of the event loop: a loop of buffered writes awaits nothing else, and syncs,
   * flushes and compactions would stand still until writes are held up.
   */
  handOver(group: CommitGroup): Promise<Commit> {
    const { slice, log, gate, sync, close } = this.#options
    const now = this.#env.monotonic()
    this.#handedOverAtMs = now
    this.#bytesSinceTurn += group.byteLength
    close()
    const isPending = (log.pendingBytes ?? 0) > MAX_PENDING_BYTES
    const seen = isPending ? group.durable : (group.seen as Promise<Commit>)
    const isDue = this.#bytesSinceTurn >= TURN_BYTES || sync.isLate(now)
    const turn = slice.look() ?? (isDue ? this.#env.yield() : undefined)
    if (turn === undefined) return seen
    this.#bytesSinceTurn = 0
    // The log may have failed during the turn: a lost write must not be acknowledged then.
    return turn.then(() => (gate.reason === undefined ? seen : group.durable))
  }

  /**
   * Called when a durable group is in the log. Buffered writes that follow at once go to the log
   * with the next durable one, in one write.
   */
  durableApplied(): void {
    if (this.#isEarly) this.#handedOverAtMs = this.#env.monotonic()
  }

  /** Hands over every later write at once, because the process ends. */
  gatherNoMore(): void {
    this.#bytes = 0
  }

  async #handOverSoon(): Promise<void> {
    const { queue, gate, close } = this.#options
    this.#timerWaits = true
    try {
      await this.#env.sleep(HAND_OVER_MS, gate.ended)
    } catch {
      return
    } finally {
      this.#timerWaits = false
      this.#bytesSinceTurn = 0
    }
    if (queue.gathering?.visible !== true || gate.reason !== undefined) return
    this.#handedOverAtMs = this.#env.monotonic()
    close()
  }
}
