import { CorruptionError } from '@firn/env'

/**
 * An input file of a compaction can't be read. Nothing was changed: the file stays where it is, and
 * its sound blocks stay readable. Plan again with the file among the poisoned ones.
 */
export class DamagedInputError extends CorruptionError {
  /** The file's id. */
  readonly fileId: string

  constructor(fileId: string, level: number, cause: unknown) {
    const why = cause instanceof Error ? cause.message : String(cause)
    super(`compaction can't read SST ${fileId} of L${level}, and leaves it alone: ${why}`, { cause })
    this.fileId = fileId
  }
}
