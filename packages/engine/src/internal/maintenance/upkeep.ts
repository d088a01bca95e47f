import type { BlockCache } from '@firn/block-cache'
import type { CommitLog } from '@firn/commit-log'
import type { Progress } from '../commit/progress.js'
import type { WritePressure } from '../commit/write-pressure.js'
import type { LogFollower } from '../view/log-follower.js'
import type { VersionSet } from '../view/version-set.js'
import type { Compactor } from './compactor.js'
import type { Flusher } from './flusher.js'

/** The cache's budget follows memtables in steps of this size. */
const RESERVE_STEP_BYTES = 1024 * 1024

export interface UpkeepOptions {
  progress: Progress
  versions: VersionSet
  pressure: WritePressure
  cache: BlockCache
  flusher: Flusher
  compactor: Compactor
}

/**
 * Keeps maintenance up with writes: after each commit it starts the flushes and compactions that
 * are due, and updates the pressure on writers with what is left.
 */
export class Upkeep {
  readonly #options: UpkeepOptions
  /** Reserves memory for memtables in the cache's budget. */
  readonly #reserved: ReturnType<BlockCache['reserve']>

  constructor(options: UpkeepOptions) {
    this.#options = options
    this.#reserved = options.cache.reserve(0)
    options.progress.listen(() => {
      options.flusher.poke()
      options.compactor.poke()
      this.#show()
    })
  }

  /**
   * Starts only the work that writers would have to wait for, so that opening is quick. The rest
   * waits for the first commit.
   */
  start(): void {
    const { versions, pressure, flusher, compactor } = this.#options
    this.#show()
    if (versions.immutables.length > 0) flusher.poke()
    if (pressure.isBlocked) compactor.poke()
  }

  #show(): void {
    const { versions, pressure } = this.#options
    const bytes = versions.reservedBytes
    if (Math.abs(bytes - this.#reserved.bytes) > RESERVE_STEP_BYTES) this.#reserved.resize(bytes)
    pressure.setShape(versions.view.level0Runs, versions.immutables.length)
  }
}

/**
 * Reads a shared log up to its end, since other processes may have done the work meanwhile, and
 * starts the work that is still due. Never rejects.
 */
export async function lookAgain(
  log: CommitLog,
  follower: LogFollower,
  progress: Progress,
): Promise<void> {
  if (!log.exclusive) await follower.catchUp().catch(() => {})
  progress.report()
}
