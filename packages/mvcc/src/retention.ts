import { InvalidArgumentError } from '@firn/env'
import { KIND_DELETE, KIND_MERGE, type RecordKind } from './record.js'

/** How much history a table keeps. */
export type HistoryRetention = 'none' | 'all' | { durationMs: number } | { versions: number }

/**
 * Returns the horizon of a retention: versions superseded at or before this timestamp may go.
 * `nowMicros` is the wall clock's time. `heldBy` are timestamps that may still be read at
 * (snapshots, pins, clones); they hold the horizon back.
 */
export function horizonOf(
  retention: HistoryRetention,
  nowMicros: number,
  heldBy: Iterable<number> = [],
): number {
  let horizon = nowMicros
  if (retention === 'all') horizon = 0
  else if (typeof retention === 'object' && 'durationMs' in retention) {
    horizon = nowMicros - retention.durationMs * 1000
  }
  for (const timestamp of heldBy) horizon = Math.min(horizon, timestamp)
  return Math.max(0, Math.floor(horizon))
}

/** How many versions of a key a retention keeps, whatever their age. */
export function versionsOf(retention: HistoryRetention): number {
  return typeof retention === 'object' && 'versions' in retention ? retention.versions : 0
}

/** No reader can ask for the version any more. */
export const DROP = 0
/** The version stays. */
export const KEEP = 1
/** A delete that stays only if an older version of its key stays: nothing older lies below it. */
export const KEEP_IF_OLDER_STAYS = 2

export type RetentionDecision = typeof DROP | typeof KEEP | typeof KEEP_IF_OLDER_STAYS

export interface KeyRetentionOptions {
  /** Versions superseded at or before this timestamp may go. 0: none may. */
  horizon: number
  /** Puts of each key that stay whatever their age. Default 0: only the newest. */
  versions?: number
}

/**
 * Decides, for each version of a key, newest first, whether it stays.
 *
 * 1. The newest version stays. So does one whose successor is newer than the horizon: a reader may
 *    read between the two.
 * 2. The `versions` newest puts stay, and the deletes among them.
 * 3. The versions that a merge operand builds on stay with it.
 * 4. A delete at or before the horizon hides only versions that go themselves. If nothing older
 *    lies in deeper levels, it goes with them.
 *
 * A reader at any timestamp ≥ `floor` sees the same before and after.
 */
export class KeyRetention {
  readonly horizon: number
  readonly #versions: number
  #floor = 0
  /** Timestamp of the previous version, which is the next newer one. */
  #successor = Number.POSITIVE_INFINITY
  #kept = 0
  /** The previous version is a merge operand that stays. */
  #isBase = false

  constructor(options: KeyRetentionOptions) {
    const { horizon, versions = 0 } = options
    if (!(horizon >= 0)) throw new InvalidArgumentError(`a horizon of ${horizon} is no timestamp`)
    if (!(Number.isInteger(versions) && versions >= 0)) {
      throw new InvalidArgumentError(`history can't keep ${versions} versions`)
    }
    this.horizon = horizon
    this.#versions = versions
  }

  /** The least timestamp that still reads as before; never above the horizon. */
  get floor(): number {
    return this.#floor
  }

  /** Starts a key. */
  begin(): void {
    this.#successor = Number.POSITIVE_INFINITY
    this.#kept = 0
    this.#isBase = false
  }

  /**
   * Decides on the key's next older version. `bottommost`: no version of the key can lie below the
   * ones shown here. Only deletes use it (it may be false for anything else).
   */
  keep(timestamp: number, kind: RecordKind, bottommost: boolean): RetentionDecision {
    const successor = this.#successor
    const isBase = this.#isBase
    const counted = this.#kept < this.#versions
    this.#successor = timestamp
    this.#isBase = false
    if (kind === KIND_DELETE && bottommost && timestamp <= this.horizon) {
      return counted ? KEEP_IF_OLDER_STAYS : DROP
    }
    if (successor > this.horizon || isBase || counted) {
      if (kind !== KIND_DELETE) this.#kept++
      this.#isBase = kind === KIND_MERGE
      return KEEP
    }
    // Readers between this version and its successor would miss it.
    if (successor > this.#floor) this.#floor = successor
    return DROP
  }
}
