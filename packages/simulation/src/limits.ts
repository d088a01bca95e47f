import type { OpenOptions } from '@firn/engine'
import type { Decisions } from './decisions.js'

/** Sizes and limits of one run, so small that a few hundred writes meet them all. */
export interface Limits {
  /** For `open`. */
  options: Pick<OpenOptions, 'memtableBytes' | 'maxStalenessMs' | 'cache' | 'tuning'>
  maxStalenessMs: number
  inlineLimitBytes: number
  /** Payloads of more bytes than this are spilled from DynamoDB to an object. */
  itemLimitBytes: number
  /** Uploads of more bytes than this are sent in parts. */
  partBytes: number
  /** Keys in one reply to a list. */
  pageKeys: number
  /** Items in one reply to a query. */
  pageItems: number
}

export function drawLimits(decisions: Decisions): Limits {
  const pick = (name: string, values: readonly [number, ...number[]]): number =>
    decisions.pick(`limits.${name}`, values)
  const maxStalenessMs = pick('maxStalenessMs', [1000, 0, 10, 100, 10_000])
  const inlineLimitBytes = pick('inlineLimitBytes', [2000, 1_000_000, 300, 64, 0])
  const level0Trigger = pick('level0Trigger', [4, 1, 2])
  const level0Slowdown = pick('level0Slowdown', [20, 6, 10])
  const memtableBytes = pick('memtableBytes', [262_144, 1024, 4096, 16_384])
  return {
    options: {
      memtableBytes,
      maxStalenessMs,
      cache: { memoryBytes: pick('cacheBytes', [1_000_000, 0, 4096]) },
      tuning: {
        blockBytes: pick('blockBytes', [4096, 64, 300]),
        targetFileBytes: pick('targetFileBytes', [100_000, 400, 2000]),
        levelBaseBytes: pick('levelBaseBytes', [100_000, 800, 5000]),
        level0Trigger,
        level0Slowdown,
        level0Stop: level0Slowdown + pick('level0Stop', [16, 2, 6]),
        inlineLimitBytes,
      },
    },
    maxStalenessMs,
    inlineLimitBytes,
    itemLimitBytes: pick('itemLimitBytes', [65_536, 17, 100, 500]),
    partBytes: pick('partBytes', [100_000, 100_000, 600, 3000]),
    pageKeys: pick('pageKeys', [1000, 2, 10]),
    pageItems: pick('pageItems', [1000, 1, 3, 20]),
  }
}
