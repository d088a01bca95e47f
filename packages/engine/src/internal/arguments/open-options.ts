import { InvalidArgumentError } from '@firn/env'
import type { DatabaseParts, OpenOptions, Tuning } from '../../open-options.js'
import type { Prices } from '../../prices.js'
import {
  assertBoolean,
  assertCount,
  assertFunction,
  assertMembers,
  assertOneOf,
  assertSignal,
  shown,
} from './members.js'

const OPEN_MEMBERS: ReadonlySet<string> = new Set<keyof OpenOptions>([
  'mode',
  'createIfMissing',
  'cache',
  'memtableBytes',
  'maxStalenessMs',
  'flushIntervalMs',
  'compaction',
  'logger',
  'env',
  'signal',
  'tuning',
  'prices',
])

const PARTS_MEMBERS: ReadonlySet<string> = new Set<string>([
  ...OPEN_MEMBERS,
  ...(['store', 'log', 'leases', 'cacheFiles'] satisfies (keyof DatabaseParts)[]),
])

const CACHE_MEMBERS: ReadonlySet<string> = new Set<keyof NonNullable<OpenOptions['cache']>>([
  'memoryBytes',
  'disk',
])

const DISK_MEMBERS: ReadonlySet<string> = new Set(['directory', 'bytes'])

/** The smallest value of each. */
const TUNING: Readonly<Record<keyof Tuning, number>> = {
  blockBytes: 64,
  targetFileBytes: 1,
  levelBaseBytes: 1,
  level0Trigger: 1,
  level0Slowdown: 1,
  level0Stop: 1,
  inlineLimitBytes: 0,
  sliceMs: 0,
  pageRows: 1,
}
const TUNING_MEMBERS: ReadonlySet<string> = new Set(Object.keys(TUNING))

const PRICES_MEMBERS: ReadonlySet<string> = new Set<keyof Prices>(['source', 's3', 'dynamodb'])
const S3_PRICES: ReadonlySet<string> = new Set<keyof Prices['s3']>([
  'thousandWrites',
  'thousandReads',
])
const DYNAMODB_PRICES: ReadonlySet<string> = new Set<keyof Prices['dynamodb']>([
  'millionWriteUnits',
  'millionReadUnits',
])

/** A memtable is addressed by 32 bits, and its memory grows in steps of up to twice its size. */
const MOST_MEMTABLE_BYTES: number = 1024 ** 3
const MOST_TUNING: Readonly<Partial<Record<keyof Tuning, number>>> = {
  /** Less than the file format allows. */
  blockBytes: 64 * 1024 ** 2,
  /** An entry of the log is built in memory, with others that are written at the same time. */
  inlineLimitBytes: 256 * 1024 ** 2,
  /** A page is built in memory. */
  pageRows: 10_000,
}

const LOCATIONS =
  'a location such as "file:./data", "memory:" or "s3://bucket/prefix", or { store, log }'

/** Arguments of `open`, copied at the call. */
export interface TakenOpenOptions {
  readonly location: string | DatabaseParts
  /** All options, including those given beside ready-made parts. */
  readonly options: OpenOptions
}

/**
 * Copies the arguments of `open`, nested members included. Throws `InvalidArgumentError` for what
 * names no database, and for unknown or invalid options.
 */
export function takeOpenArguments(
  location: string | DatabaseParts,
  options: OpenOptions = {},
): TakenOpenOptions {
  if (typeof location === 'string') {
    assertMembers('open', options, OPEN_MEMBERS)
    return { location, options: optionsOf(options) }
  }
  if (location === undefined || location === null) {
    throw new InvalidArgumentError(`open takes ${LOCATIONS}; got ${shown(location)}`)
  }
  if (Object.prototype.toString.call(location) === '[object URL]') {
    throw new InvalidArgumentError(`open takes ${LOCATIONS}; for a URL, pass its href`)
  }
  if (typeof location !== 'object' || !('store' in location && 'log' in location)) {
    throw new InvalidArgumentError(
      `open takes ${LOCATIONS} with both parts; got ${shown(location)}`,
    )
  }
  assertMembers('open', location, PARTS_MEMBERS)
  assertMembers('open', options, PARTS_MEMBERS)
  const given = Object.entries(options).filter(([, value]) => value !== undefined)
  const parts: DatabaseParts = { ...location, ...Object.fromEntries(given) }
  assertParts(parts)
  return { location: parts, options: optionsOf(parts) }
}

function optionsOf(given: OpenOptions): OpenOptions {
  const { mode, createIfMissing, cache, memtableBytes, maxStalenessMs, flushIntervalMs } = given
  const { compaction, logger, env, signal, tuning, prices } = given
  assertOneOf('mode', mode, ['write', 'read'])
  assertBoolean('createIfMissing', createIfMissing)
  assertCount('memtableBytes', memtableBytes, 1024, MOST_MEMTABLE_BYTES)
  assertCount('maxStalenessMs', maxStalenessMs, 0)
  if (flushIntervalMs !== Number.POSITIVE_INFINITY) {
    assertCount('flushIntervalMs', flushIntervalMs, 0)
  }
  assertOneOf('compaction', compaction, ['worker', 'inline', 'off'])
  assertSignal(signal)
  if (logger !== undefined) {
    assertObject('logger', logger)
    assertFunction('logger.debug', logger.debug)
    if (typeof logger.warn !== 'function') assertFunction('logger.warn', logger.warn ?? null)
  }
  if (env !== undefined) {
    assertObject('env', env)
    for (const name of ['now', 'monotonic', 'random', 'randomBytes', 'sleep', 'yield'] as const) {
      assertFunction(`env.${name}`, env[name] ?? null)
    }
  }
  return {
    mode,
    createIfMissing,
    cache: cache === undefined ? undefined : takeCache(cache),
    memtableBytes,
    maxStalenessMs,
    flushIntervalMs,
    compaction,
    logger,
    env,
    signal,
    tuning: tuning === undefined ? undefined : takeTuning(tuning),
    prices: prices === undefined ? undefined : takePrices(prices),
  }
}

function takeCache(cache: NonNullable<OpenOptions['cache']>): NonNullable<OpenOptions['cache']> {
  assertMembers('cache', cache, CACHE_MEMBERS)
  const { memoryBytes, disk } = cache
  assertCount('cache.memoryBytes', memoryBytes, 0)
  return { memoryBytes, disk: disk === undefined ? undefined : takeDisk(disk) }
}

function takeDisk(disk: { directory: string; bytes: number }): {
  directory: string
  bytes: number
} {
  assertMembers('cache.disk', disk, DISK_MEMBERS)
  const { directory, bytes } = disk
  if (typeof directory !== 'string' || directory === '' || directory.includes('\0')) {
    throw new InvalidArgumentError('cache.disk.directory must be the path of a directory')
  }
  if (bytes === undefined) {
    throw new InvalidArgumentError('cache.disk.bytes is missing: how much may the directory hold?')
  }
  assertCount('cache.disk.bytes', bytes, 0)
  return { directory, bytes }
}

function takeTuning(given: Tuning): Tuning {
  assertMembers('tuning', given, TUNING_MEMBERS)
  const tuning: Tuning = {}
  for (const [name, least] of Object.entries(TUNING) as [keyof Tuning, number][]) {
    const value = given[name]
    const most = MOST_TUNING[name]
    assertCount(`tuning.${name}`, value, least, most)
    tuning[name] = value
  }
  return tuning
}

function takePrices(given: Prices): Prices {
  assertMembers('prices', given, PRICES_MEMBERS)
  const { source, s3, dynamodb } = given
  assertMembers('prices.s3', s3, S3_PRICES)
  assertMembers('prices.dynamodb', dynamodb, DYNAMODB_PRICES)
  if (typeof source !== 'string') {
    throw new InvalidArgumentError(`prices.source must be text, got ${shown(source)}`)
  }
  const price = (name: string, value: unknown): number => {
    if (typeof value === 'number' && value >= 0 && Number.isFinite(value)) return value
    throw new InvalidArgumentError(`prices.${name} must be dollars, 0 or more; got ${shown(value)}`)
  }
  return {
    source,
    s3: {
      thousandWrites: price('s3.thousandWrites', s3.thousandWrites),
      thousandReads: price('s3.thousandReads', s3.thousandReads),
    },
    dynamodb: {
      millionWriteUnits: price('dynamodb.millionWriteUnits', dynamodb.millionWriteUnits),
      millionReadUnits: price('dynamodb.millionReadUnits', dynamodb.millionReadUnits),
    },
  }
}

function assertParts({ store, log, leases, cacheFiles }: DatabaseParts): void {
  assertObject('store', store)
  assertFunction('store.get', store.get ?? null)
  if (typeof log !== 'function') {
    assertObject('log', log)
    assertFunction('log.append', log.append ?? null)
  }
  if (leases !== undefined && typeof leases !== 'function') assertObject('leases', leases)
  if (cacheFiles !== undefined) assertObject('cacheFiles', cacheFiles)
}

function assertObject(name: string, value: unknown): void {
  if (typeof value === 'object' && value !== null) return
  throw new InvalidArgumentError(`${name} must be an object, got ${shown(value)}`)
}
