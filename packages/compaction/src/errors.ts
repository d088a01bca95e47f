import { CorruptionError } from '@firn/env'

/**
 * An input file of a compaction can't be read. Nothing was changed: the file stays in place, and
 * its undamaged blocks stay readable. Plan again with the file among the poisoned ones.
 */
export class DamagedInputError extends CorruptionError {
  /** The file's id. */
  readonly fileId: string

  constructor(fileId: string, message: string, options: { cause?: unknown } = {}) {
    super(message, options)
    this.fileId = fileId
  }
}
