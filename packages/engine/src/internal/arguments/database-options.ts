import { InvalidArgumentError } from '@firn/env'
import type { EvictOptions } from '../../database.js'
import type { Moment } from '../../range.js'
import type { TransactionOptions } from '../../transaction.js'
import {
  assertBoolean,
  assertCount,
  assertMembers,
  assertOneOf,
  assertSignal,
  typeName,
} from './members.js'
import { type TakenMoment, takeMoment } from './moment.js'

const TRANSACTION_MEMBERS: ReadonlySet<string> = new Set<keyof TransactionOptions>([
  'isolation',
  'attempts',
  'signal',
])
const SNAPSHOT_MEMBERS: ReadonlySet<string> = new Set(['at', 'signal'])
const EVICT_MEMBERS: ReadonlySet<string> = new Set<keyof EvictOptions>(['memory', 'disk'])

const DEFAULT_ATTEMPTS = 20

/** Options of a transaction, copied at the call. */
export interface TakenTransactionOptions {
  readonly isolation: 'serializable' | 'snapshot'
  readonly attempts: number
  readonly signal: AbortSignal | undefined
}

/**
 * Copies the options of a transaction. Throws `InvalidArgumentError` for unknown or invalid ones.
 */
export function takeTransactionOptions(options: TransactionOptions = {}): TakenTransactionOptions {
  assertMembers('transaction', options, TRANSACTION_MEMBERS)
  const { isolation, attempts, signal } = options
  assertOneOf('isolation', isolation, ['serializable', 'snapshot'])
  assertCount('attempts', attempts, 1)
  assertSignal(signal)
  return {
    isolation: isolation ?? 'serializable',
    attempts: attempts ?? DEFAULT_ATTEMPTS,
    signal,
  }
}

/** Options of a snapshot, copied at the call. */
export interface TakenSnapshotOptions {
  readonly at: TakenMoment | undefined
  readonly signal: AbortSignal | undefined
}

/** Copies the options of a snapshot. Throws `InvalidArgumentError` for unknown or invalid ones. */
export function takeSnapshotOptions(
  options: { at?: Moment | undefined; signal?: AbortSignal | undefined } = {},
): TakenSnapshotOptions {
  assertMembers('snapshot', options, SNAPSHOT_MEMBERS)
  const { at, signal } = options
  assertSignal(signal)
  return { at: at === undefined ? undefined : takeMoment(at), signal }
}

/** Copies the options of `evict`. Throws `InvalidArgumentError` for unknown or invalid ones. */
export function takeEvictOptions(options: EvictOptions = {}): Required<EvictOptions> {
  assertMembers('evict', options, EVICT_MEMBERS)
  const { memory, disk } = options
  assertBoolean('memory', memory)
  assertBoolean('disk', disk)
  return { memory: memory ?? true, disk: disk ?? true }
}

/** Throws `InvalidArgumentError` unless `run` is a function. */
export function assertRunnable(call: string, run: unknown): void {
  if (typeof run === 'function') return
  throw new InvalidArgumentError(`${call} takes a function, got ${typeName(run)}`)
}
