import { CorruptionError, FirnError } from '@firn/env'

/**
 * An input file of a compaction can't be read. Nothing was changed: the file stays where it is, and
 * its sound blocks stay readable. Plan again with the file among the poisoned ones.
 */
export class DamagedInputError extends CorruptionError {
  /** The file's id. */
  readonly fileId: string

  constructor(fileId: string, message: string, options: { cause?: unknown } = {}) {
    super(message, options)
    this.fileId = fileId
  }
}

/**
 * The worker thread couldn't be started, or ended before it answered. Nothing was changed; the next
 * run starts another.
 */
export class CompactionWorkerError extends FirnError {
  /**
   * Whether the thread had loaded its code. One that hadn't will hardly do better next time: its
   * file is missing (a bundle without it), or the system refuses threads.
   */
  readonly started: boolean

  constructor(message: string, options: { cause?: unknown; started: boolean }) {
    const { cause, started } = options
    super('FIRN_COMPACTION_WORKER', message, { cause, retryable: true })
    this.started = started
  }
}
