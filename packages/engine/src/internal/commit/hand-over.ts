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

export interface HandOverOptions {
  env: Env
  /** By which it gives others a turn. */
  slice: TimeSlice
  log: CommitLog
  queue: GroupQueue
  gate: WriteGate
  sync: LogSync
  /** Closes the group that gathers, and hands it to the log. */
  close: () => void
}

/**
 * Decides when a group of buffered writes is handed to the log, which writes it without waiting for
 * a sync: by the write that makes it large enough, or that comes a millisecond after the last
 * hand-over; by a timer, when no write comes; with a durable write that follows; or when `flush` or
 * a snapshot asks for it. So a loop that never lets the event loop have a turn loses no more to the
 * end of its process than one that does.
 */
export class HandOver {
  readonly #options: HandOverOptions
  readonly #env: Env
  /** Whether buffered writes go to the log early: only if it keeps them without a sync. */
  readonly #isEarly: boolean
  /** See `HAND_OVER_BYTES`. */
  #bytes: number
  /** When the last group was handed to the log, or durable there, by the monotonic clock. */
  #handedOverAtMs = Number.NEGATIVE_INFINITY
  /** Whether a timer waits that hands over what gathers. */
  #timerWaits = false
  /** What was handed over since the event loop had a turn. */
  #bytesSinceTurn = 0

  constructor(options: HandOverOptions) {
    const { env, log } = options
    this.#options = options
    this.#env = env
    this.#isEarly = log.exclusive && log.sync !== undefined
    this.#bytes = this.#isEarly ? HAND_OVER_BYTES : TURN_BYTES
  }

  /**
   * Whether the write that just joined a group of buffered ones has to hand it over. Otherwise a
   * later one will, or the next turn of the event loop.
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
   * Hands over the group that gathers; returns what its writer waits for. Now and then that is a
   * turn of the event loop: a loop of buffered writes awaits nothing else, and syncs, flushes and
   * compactions would stand still until it is held up.
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
    // The log may have failed during the turn: what was lost must not be acknowledged after that.
    return turn.then(() => (gate.reason === undefined ? seen : group.durable))
  }

  /**
   * A durable group is in the log. Buffered writes that follow at once go to the log with the next
   * durable one, in one write.
   */
  durableApplied(): void {
    if (this.#isEarly) this.#handedOverAtMs = this.#env.monotonic()
  }

  /** From now on every write is handed over at once: the process ends. */
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
