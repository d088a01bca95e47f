import { type Env, systemEnv } from '@firn/env'
import type { Logger, OpenOptions } from '../../open-options.js'
import type { PressureLimits } from '../commit/write-pressure.js'
import type { TreeShape } from '../maintenance/compactor.js'
import type { Located } from './locate.js'

const MIB = 1024 * 1024

const DEFAULTS = {
  cacheBytes: 256 * MIB,
  memtableBytes: 32 * MIB,
  maxStalenessMs: 1000,
  flushIntervalMs: 1000,
  targetFileBytes: 32 * MIB,
  levelBaseBytes: 128 * MIB,
  level0Trigger: 4,
  level0Slowdown: 20,
  level0Stop: 36,
  pageRows: 1000,
}

/** The given options, and defaults for the others. */
export interface Settings {
  readonly env: Env
  readonly logger: Logger | undefined
  readonly signal: AbortSignal | undefined
  /** Whether it is opened for writing. */
  readonly writes: boolean
  readonly createIfMissing: boolean
  readonly cacheBytes: number
  readonly disk: { directory: string; bytes: number } | undefined
  readonly memtableBytes: number
  /** The number of log entries not yet in files that calls for a flush. */
  readonly tailEntries: number
  /** Bytes of a batch's records that are written to files as one run. */
  readonly ingestChunkBytes: number
  /** Batches larger than this are written as whole SSTs. `undefined`: the log's own limit. */
  readonly inlineLimitBytes: number | undefined
  readonly maxStalenessMs: number
  readonly flushIntervalMs: number
  /** Whether this process compacts in the background. */
  readonly compacts: boolean
  /** The directory whose files threads of this process may work on; `undefined`: none. */
  readonly threadsIn: string | undefined
  readonly blockBytes: number | undefined
  readonly shape: TreeShape
  readonly limits: PressureLimits
  readonly sliceMs: number | undefined
  readonly pageRows: number
}

export function settingsOf(options: OpenOptions, located: Located): Settings {
  const { env = systemEnv, tuning = {}, mode = 'write', compaction = 'worker' } = options
  const { targetFileBytes = DEFAULTS.targetFileBytes } = tuning
  return {
    env,
    logger: options.logger,
    signal: options.signal,
    writes: mode === 'write',
    createIfMissing: mode === 'write' && (options.createIfMissing ?? true),
    cacheBytes: options.cache?.memoryBytes ?? DEFAULTS.cacheBytes,
    disk: options.cache?.disk,
    memtableBytes: options.memtableBytes ?? located.tail?.bytes ?? DEFAULTS.memtableBytes,
    tailEntries: located.tail?.entries ?? Number.POSITIVE_INFINITY,
    // Memtables may be small so that opening reads little of the log. Batches needn't be: their
    // records are never in the log.
    ingestChunkBytes: options.memtableBytes ?? DEFAULTS.memtableBytes,
    inlineLimitBytes: tuning.inlineLimitBytes,
    maxStalenessMs: options.maxStalenessMs ?? DEFAULTS.maxStalenessMs,
    flushIntervalMs: options.flushIntervalMs ?? DEFAULTS.flushIntervalMs,
    compacts: compaction !== 'off',
    // Threads have clocks and ids of their own, so a database with another Env uses none.
    threadsIn: compaction === 'worker' && env === systemEnv ? located.directory : undefined,
    blockBytes: tuning.blockBytes,
    shape: {
      targetFileBytes,
      levelBaseBytes: tuning.levelBaseBytes ?? DEFAULTS.levelBaseBytes,
      level0Trigger: tuning.level0Trigger ?? DEFAULTS.level0Trigger,
    },
    limits: {
      slowdownLevel0: tuning.level0Slowdown ?? DEFAULTS.level0Slowdown,
      stopLevel0: tuning.level0Stop ?? DEFAULTS.level0Stop,
    },
    sliceMs: tuning.sliceMs,
    pageRows: tuning.pageRows ?? DEFAULTS.pageRows,
  }
}
