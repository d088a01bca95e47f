import type { CommitLog } from '@firn/commit-log'
import { type Env, isFirnError } from '@firn/env'
import { pruneCheckpoints, writeCheckpoint } from '@firn/manifest'
import type { ObjectStore } from '@firn/object-store'
import type { Logger } from '../../open-options.js'
import type { Committer } from '../commit/committer.js'
import type { VersionSet } from '../view/version-set.js'

/** One older checkpoint stays, for readers that have just found its name. */
const KEPT_CHECKPOINTS = 2

/** The next open reads a tail of this many entries faster than a checkpoint is written now. */
const ENTRIES_LEFT_AT_CLOSE = 1000

export interface CheckpointerOptions {
  env: Env
  store: ObjectStore
  log: CommitLog
  incarnation: string
  versions: VersionSet
  committer: Committer
  logger: Logger | undefined
}

/**
 * Writes checkpoints, which bound what opening has to read:
 *
 * 1. The folded state is written as an object, read back and verified.
 * 2. A log entry announces it.
 * 3. On a log that only this process writes to, entries before both the checkpoint and the flushed
 *    version are truncated to tombstones.
 *
 * A failure costs only a longer tail: it is logged, and the flusher tries again.
 */
export class Checkpointer {
  readonly #options: CheckpointerOptions
  #newest = 0

  constructor(options: CheckpointerOptions) {
    this.#options = options
  }

  /**
   * Writes a checkpoint at close, so that the next open needn't read the entries since the newest
   * one.
   */
  async close(): Promise<void> {
    const { versions, log } = this.#options
    const { checkpoint, version } = versions.state
    const behind = version - (checkpoint?.version ?? 0)
    if (log.exclusive && behind > ENTRIES_LEFT_AT_CLOSE) await this.checkpoint()
  }

  /** Writes a checkpoint if any entry is newer than the last one. Returns false if that failed. */
  async checkpoint(): Promise<boolean> {
    const { env, store, log, incarnation, versions, committer, logger } = this.#options
    const { state } = versions
    if (state.version === this.#newest) return true
    try {
      const { version, key } = await writeCheckpoint(store, state, env)
      await committer.commitEdits([{ type: 'checkpoint', version, key }])
      this.#newest = versions.state.version
      // If the newest checkpoint is damaged, an older one and a short log can still replace it.
      if (log.exclusive) await log.truncate(Math.min(version, state.flushedThrough), { lazy: true })
      await pruneCheckpoints(store, incarnation, KEPT_CHECKPOINTS)
      return true
    } catch (error) {
      if (isFirnError(error, 'FIRN_WRITE_STOPPED')) throw error
      logger?.warn('a checkpoint failed; the log keeps its tail until the next one', { error })
      return false
    }
  }
}
