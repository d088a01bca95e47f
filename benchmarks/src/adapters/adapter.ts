import type { Tally } from '../tally.js'
import type { WorkloadId } from '../workloads/ids.js'

export interface OpenOptions {
  /**
   * `ample`: a cache that holds the whole dataset, of a size every peer gets (Firn: its default).
   * `small`: 8 MiB, so that nearly every read misses it.
   */
  cache: 'ample' | 'small'
  /** True where the workload waits for each write to be on the disk. */
  durable: boolean
}

export const AMPLE_CACHE_BYTES: number = 256 * 1024 * 1024
export const SMALL_CACHE_BYTES: number = 8 * 1024 * 1024

export type Found = Uint8Array | undefined

/**
 * One store under measurement. Each method uses the peer's quickest public form of the operation
 * that returns owned bytes; keys and values are not changed after they were handed over.
 */
export interface Adapter {
  readonly name: string
  /** A native engine: one of those that Firn's ratios are taken against. */
  readonly native: boolean
  /** False for a store that is gone with its process. */
  readonly persistent: boolean
  /** How the peer is set up and called, for the report. */
  readonly settings: string
  /**
   * The share of the operations of point and short range workloads that it is measured over: 1, or
   * less for a peer that would take minutes. Fills and full scans are always whole.
   */
  readonly effort: number
  /** Why the peer can't do these workloads. */
  readonly unsupported: Partial<Record<WorkloadId, string>>

  /** Loads the package and returns its version; rejects where it isn't installed. */
  load(): Promise<string>
  open(directory: string, options: OpenOptions): Promise<void>
  /** Writes all pairs atomically, visible when the promise resolves, not synced. */
  writeBatch(keys: readonly Buffer[], values: readonly Buffer[]): Promise<unknown>
  /** Visible when the promise resolves, not synced. */
  put(key: Buffer, value: Buffer): Promise<unknown>
  /** On the disk when the promise resolves. */
  putDurable(key: Buffer, value: Buffer): Promise<unknown>
  /** Resolves when all earlier writes have left the process. Part of the time of a fill. */
  drain(): Promise<void>
  get(key: Buffer): Promise<Found> | Found
  getSync(key: Buffer): Found
  getMany(keys: Buffer[]): Promise<Found[]> | Found[]
  has(key: Buffer): Promise<boolean> | boolean
  /** Every row in order. */
  scan(tally: Tally, options: { reverse: boolean }): Promise<void>
  /** Every row in order, by `for await`. */
  iterate(tally: Tally): Promise<void>
  /** The first `count` rows from `key` on. */
  seek(key: Buffer, count: number, tally: Tally): Promise<void> | void
  close(): Promise<void>
}
