import type { ReadOptions, ScanOptions } from '../../range.js'
import type { KeyedTable } from './keys.js'
import { assertBoolean, assertCount, assertMembers, assertSignal } from './members.js'
import { type TakenMoment, takeMoment } from './moment.js'
import { TakenRange } from './range.js'

/** Options of a read, copied at the call. */
export interface TakenReadOptions {
  readonly at: TakenMoment | undefined
  readonly fresh: boolean
  readonly copy: boolean
  readonly signal: AbortSignal | undefined
}

/** Options of a scan, copied at the call. */
export interface TakenScanOptions extends TakenReadOptions {
  readonly range: TakenRange
  readonly reverse: boolean
  readonly limit: number
}

const READ_MEMBERS: ReadonlySet<string> = new Set<keyof ReadOptions>([
  'at',
  'fresh',
  'copy',
  'signal',
])

const SCAN_MEMBERS: ReadonlySet<string> = new Set<keyof ScanOptions<never>>([
  'gt',
  'gte',
  'lt',
  'lte',
  'prefix',
  'reverse',
  'limit',
  'at',
  'fresh',
  'copy',
  'signal',
])

const SIGNAL_MEMBERS: ReadonlySet<string> = new Set(['signal'])

export const NO_READ_OPTIONS: TakenReadOptions = {
  at: undefined,
  fresh: false,
  copy: false,
  signal: undefined,
}

const NO_OPTIONS = {}

/** Copies the options of a read. Throws `InvalidArgumentError` for unknown or invalid ones. */
export function takeReadOptions(call: string, options: ReadOptions | undefined): TakenReadOptions {
  if (options === undefined) return NO_READ_OPTIONS
  assertMembers(call, options, READ_MEMBERS)
  return readOptionsOf(options)
}

/** Copies the options of a scan. Throws `InvalidArgumentError` for unknown or invalid ones. */
export function takeScanOptions(
  call: string,
  table: KeyedTable,
  options: ScanOptions<never> = NO_OPTIONS,
): TakenScanOptions {
  assertMembers(call, options, SCAN_MEMBERS)
  const { at, fresh, copy, signal } = readOptionsOf(options)
  const { reverse, limit } = options
  assertBoolean('reverse', reverse)
  if (limit !== Number.POSITIVE_INFINITY) assertCount('limit', limit, 0)
  return {
    at,
    fresh,
    copy,
    signal,
    range: new TakenRange(table, options),
    reverse: reverse ?? false,
    limit: limit ?? Number.POSITIVE_INFINITY,
  }
}

/**
 * Returns the signal of a call that has no other option. Throws `InvalidArgumentError` for others.
 */
export function takeSignal(
  call: string,
  options: { signal?: AbortSignal | undefined } | undefined,
): AbortSignal | undefined {
  if (options === undefined) return undefined
  assertMembers(call, options, SIGNAL_MEMBERS)
  const { signal } = options
  assertSignal(signal)
  return signal
}

function readOptionsOf({ at, fresh, copy, signal }: ReadOptions): TakenReadOptions {
  assertBoolean('fresh', fresh)
  assertBoolean('copy', copy)
  assertSignal(signal)
  return {
    at: at === undefined ? undefined : takeMoment(at),
    fresh: fresh ?? false,
    copy: copy ?? false,
    signal,
  }
}
