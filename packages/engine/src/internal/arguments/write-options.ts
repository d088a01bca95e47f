import type { Durability, WriteOptions } from '../../write-options.js'
import { assertMembers, assertOneOf, assertSignal } from './members.js'

/** Options of a write, copied at the call. */
export interface TakenWriteOptions {
  readonly durability: Durability
  readonly signal: AbortSignal | undefined
}

const WRITE_MEMBERS: ReadonlySet<string> = new Set<keyof WriteOptions>(['durability', 'signal'])

const DURABILITIES = ['durable', 'buffered'] as const

const NO_WRITE_OPTIONS: TakenWriteOptions = { durability: 'durable', signal: undefined }

/** Copies the options of a write. Throws `InvalidArgumentError` for unknown or invalid ones. */
export function takeWriteOptions(
  call: string,
  options: WriteOptions | undefined,
): TakenWriteOptions {
  if (options === undefined) return NO_WRITE_OPTIONS
  assertMembers(call, options, WRITE_MEMBERS)
  const { durability, signal } = options
  assertOneOf('durability', durability, DURABILITIES)
  assertSignal(signal)
  return { durability: durability ?? 'durable', signal }
}
