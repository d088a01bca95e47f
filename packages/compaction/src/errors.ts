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

/** The worker thread ended before it answered. Nothing was changed; the next run starts another. */
export class CompactionWorkerError extends FirnError {
  constructor(message: string, options: { cause?: unknown } = {}) {
    super('FIRN_COMPACTION_WORKER', message, { ...options, retryable: true })
  }
}
