import type { OpenOptions } from '@firn/engine'
import type { Decisions } from './decisions.js'
import type { LimitName, Theme } from './themes.js'

/** Sizes and limits of one run, so small that a few hundred writes reach them all. */
export interface Limits {
  /** For `open`, in every process. */
  options: Pick<OpenOptions, 'maxStalenessMs' | 'tuning'>
  maxStalenessMs: number
  inlineLimitBytes: number
  /** Larger payloads are spilled from DynamoDB to an object. */
  itemLimitBytes: number
  /** Larger uploads are sent in parts. */
  partBytes: number
  /** Keys in one reply to a list. */
  pageKeys: number
  /** Items in one reply to a query. */
  pageItems: number
  /** How much longer an upload of a file takes at most, in milliseconds. */
  uploadMs: number
  /** How much longer a read of a file takes at most, in milliseconds. */
  readMs: number
  /** How much longer each way of a request for a lease takes at most. */
  leaseMs: number
}

/** Limits that may change each time a database is opened. */
export type LifeLimits = Required<Pick<OpenOptions, 'memtableBytes'>> & {
  cache: { memoryBytes: number }
}

export function drawLimits(decisions: Decisions, { limits: own = {} }: Theme): Limits {
  const pick = (name: string, usual: readonly [number, ...number[]]): number =>
    decisions.pick(`limits.${name}`, own[name as LimitName] ?? usual)
  const maxStalenessMs = pick('maxStalenessMs', [1000, 0, 10, 100, 10_000])
  const inlineLimitBytes = pick('inlineLimitBytes', [2000, 1_000_000, 300, 64, 0])
  const level0Trigger = pick('level0Trigger', [4, 1, 2])
  const level0Slowdown = pick('level0Slowdown', [20, 6, 10])
  return {
    options: {
      maxStalenessMs,
      tuning: {
        blockBytes: pick('blockBytes', [4096, 64, 300]),
        targetFileBytes: pick('targetFileBytes', [100_000, 400, 2000]),
        levelBaseBytes: pick('levelBaseBytes', [100_000, 800, 5000]),
        level0Trigger,
        level0Slowdown,
        level0Stop: level0Slowdown + pick('level0Stop', [16, 2, 6]),
        inlineLimitBytes,
        pageRows: pick('pageRows', [1000, 1000, 2, 7, 30]),
        sliceMs: pick('sliceMs', [8, 8, 8, 8, 8, 8, 8, 0]),
      },
    },
    maxStalenessMs,
    inlineLimitBytes,
    itemLimitBytes: pick('itemLimitBytes', [65_536, 17, 100, 500]),
    partBytes: pick('partBytes', [100_000, 100_000, 600, 3000]),
    pageKeys: pick('pageKeys', [1000, 2, 10]),
    pageItems: pick('pageItems', [1000, 1, 3, 20]),
    uploadMs: pick('uploadMs', [0, 0, 0, 500, 4000, 60_000]),
    readMs: pick('readMs', [0, 0, 0, 60, 300]),
    leaseMs: pick('leaseMs', [0, 0, 500, 4000, 20_000]),
  }
}

/** Draws limits, each time a database is opened. */
export function drawLifeLimits(decisions: Decisions, { limits: own = {} }: Theme): LifeLimits {
  const { memtableBytes = MEMTABLE_BYTES, cacheBytes = CACHE_BYTES } = own
  return {
    memtableBytes: decisions.pick('memtableBytes', memtableBytes),
    cache: { memoryBytes: decisions.pick('cacheBytes', cacheBytes) },
  }
}

const MEMTABLE_BYTES: readonly [number, ...number[]] = [262_144, 1024, 1024, 4096, 16_384]
const CACHE_BYTES: readonly [number, ...number[]] = [1_000_000, 0, 4096]
