import { InvalidArgumentError } from '@firn/env'
import type { DatabaseParts, OpenOptions } from '../open-options.js'
import type { Moment, ScanOptions } from '../range.js'

/** Throws `InvalidArgumentError` for a scan that can't be meant. */
export function assertScanOptions<K>(options: ScanOptions<K>): void {
  const { limit } = options
  if (limit !== undefined && limit !== Number.POSITIVE_INFINITY) {
    if (!Number.isSafeInteger(limit) || limit < 0) {
      throw new InvalidArgumentError(`limit must be a whole number from 0 on, got ${String(limit)}`)
    }
  }
  if (options.at !== undefined) assertMoment(options.at)
  const { prefix, gt, gte, lt, lte } = options
  const bounds = [gt, gte, lt, lte]
  if (prefix !== undefined && bounds.some((bound) => bound !== undefined)) {
    throw new InvalidArgumentError('a range has either a prefix or gt, gte, lt, lte, not both')
  }
}

/** Throws `InvalidArgumentError` unless `at` is a Date, { version } or { timestamp }. */
export function assertMoment(at: Moment): void {
  if (at instanceof Date) {
    if (!Number.isNaN(at.getTime())) return
  } else if (typeof at === 'object' && at !== null) {
    const value = 'version' in at ? at.version : at.timestamp
    if (Number.isSafeInteger(value) && value >= 0) return
  }
  throw new InvalidArgumentError(
    'at must be a valid Date, { version } or { timestamp } in microseconds since the epoch',
  )
}

const OPEN_OPTIONS: ReadonlySet<string> = new Set<keyof DatabaseParts>([
  'mode',
  'createIfMissing',
  'cache',
  'memtableBytes',
  'maxStalenessMs',
  'compaction',
  'logger',
  'env',
  'signal',
  'tuning',
  'store',
  'log',
  'leases',
  'cacheFiles',
  'prices',
])

/** Throws `InvalidArgumentError` for options of `open` that don't exist or can't be meant. */
export function assertOpenOptions(options: OpenOptions | DatabaseParts): void {
  for (const name of Object.keys(options)) {
    if (!OPEN_OPTIONS.has(name)) {
      throw new InvalidArgumentError(
        `unknown option ${JSON.stringify(name)}; there are ${[...OPEN_OPTIONS].join(', ')}`,
      )
    }
  }
  oneOf('mode', options.mode, ['write', 'read'])
  oneOf('compaction', options.compaction, ['worker', 'inline', 'off'])
  bytes('cache.memoryBytes', options.cache?.memoryBytes, 0)
  if (options.cache?.disk !== undefined) assertDisk(options.cache.disk)
  bytes('memtableBytes', options.memtableBytes, 1024)
  bytes('maxStalenessMs', options.maxStalenessMs, 0)
  for (const [name, value] of Object.entries(options.tuning ?? {})) {
    bytes(`tuning.${name}`, value as number | undefined, name === 'inlineLimitBytes' ? 0 : 1)
  }
}

function assertDisk(disk: { directory?: unknown; bytes?: unknown } | null): void {
  const directory = disk?.directory
  if (typeof directory !== 'string' || directory === '' || directory.includes('\0')) {
    throw new InvalidArgumentError('cache.disk.directory must be the path of a directory')
  }
  if (disk?.bytes === undefined) {
    throw new InvalidArgumentError('cache.disk.bytes is missing: how much may the directory hold?')
  }
  bytes('cache.disk.bytes', disk.bytes as number, 0)
}

function oneOf(name: string, value: string | undefined, allowed: readonly string[]): void {
  if (value !== undefined && !allowed.includes(value)) {
    throw new InvalidArgumentError(
      `${name} must be one of ${allowed.join(', ')}, got ${JSON.stringify(value)}`,
    )
  }
}

function bytes(name: string, value: number | undefined, least: number): void {
  if (value !== undefined && !(Number.isSafeInteger(value) && value >= least)) {
    throw new InvalidArgumentError(
      `${name} must be a whole number from ${least} on, got ${String(value)}`,
    )
  }
}
