import { CorruptionError, type Env } from '@firn/env'
import { MAX_TIMESTAMP } from './record.js'

/**
 * Picks timestamps for a commit log: the wall clock's time if it is ahead of the log, else the next
 * microsecond after the log's last. Order comes from the log. The clock only names versions, so it
 * may jump by years either way without harm.
 */
export class TimestampClock {
  readonly #env: Env

  constructor(env: Env) {
    this.#env = env
  }

  /**
   * Returns the timestamp of the entry after one with the timestamp `previous` (0 for the first
   * entry): `max(now, previous + 1)`, below `MAX_TIMESTAMP`. Throws `CorruptionError` if the log
   * has used up all numbers, which no clock can cause.
   */
  next(previous: number): number {
    const after = previous + 1
    if (!(after > previous && after < MAX_TIMESTAMP)) {
      throw new CorruptionError(`no timestamp follows ${previous}: the log's last entry is damaged`)
    }
    const now = Math.floor(this.#env.now())
    // A wildly wrong clock must not use up the numbers that later entries need.
    return now >= after && now <= LATEST_WALL_CLOCK ? now : after
  }
}

/**
 * The year 2200, in microseconds: the latest wall-clock time that is believed. Timestamps end in
 * 2255.
 */
const LATEST_WALL_CLOCK = 7_258_118_400_000_000
