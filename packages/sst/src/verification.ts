import type { CorruptionError } from '@firn/env'
import type { StatisticsCollector } from './statistics.js'

export interface VerifyOptions {
  signal?: AbortSignal
  /** Called after each read with the bytes of data read so far, and of all data. */
  onProgress?: (bytes: number, total: number) => void
  /** Called for each problem, and the walk goes on; without it the first one is thrown. */
  onProblem?: (error: CorruptionError) => void
  /** Fresh collectors by name: what they leave must be what the file's properties hold. */
  statistics?: Record<string, StatisticsCollector>
}

/** What a walk over a whole file found. */
export interface SstVerification {
  readonly blocks: number
  readonly records: number
  readonly bytes: number
  /** How many problems there were: 0, unless `onProblem` was given. */
  readonly problems: number
}

/** A data block, for dumps. */
export interface SstBlockDescription {
  readonly ordinal: number
  /** Where it begins in the file. */
  readonly offset: number
  /** Its length in the file, trailer included. */
  readonly storedBytes: number
  /** Its length before compression. */
  readonly rawBytes: number
  readonly codec: string
  readonly rows: number
  readonly firstKey: Uint8Array
  readonly lastKey: Uint8Array
  /** How many bytes all keys share. */
  readonly prefixBytes: number
}
