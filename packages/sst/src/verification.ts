import type { CorruptionError } from '@firn/env'
import type { StatisticsCollector } from './statistics.js'

export interface VerifyOptions {
  signal?: AbortSignal | undefined
  /** Called after each read, with the bytes of data read so far and the bytes of all data. */
  onProgress?: (bytes: number, total: number) => void
  /** Called for each problem, after which the check goes on. Without it, the first is thrown. */
  onProblem?: (error: CorruptionError) => void
  /** Fresh collectors by name: their summaries must equal those in the file's properties. */
  statistics?: Record<string, StatisticsCollector>
}

/** Result of `SstReader.verify`. */
export interface SstVerification {
  readonly blocks: number
  readonly records: number
  readonly bytes: number
  /** Number of problems; always 0 without `onProblem`, as the first problem is then thrown. */
  readonly problems: number
}

/** Description of a data block, for dumps. */
export interface SstBlockDescription {
  readonly ordinal: number
  /** Offset in the file. */
  readonly offset: number
  /** Length in the file, trailer included. */
  readonly storedBytes: number
  /** Length before compression. */
  readonly rawBytes: number
  readonly codec: string
  readonly rows: number
  readonly firstKey: Uint8Array
  readonly lastKey: Uint8Array
  /** Length of the prefix that all keys share. */
  readonly prefixBytes: number
}
