import type { Durability, WriteOptions } from '../../write-options.js'
import { assertMembers, assertOneOf, assertSignal } from './members.js'

/** What a write was asked for, as it was when it was called. */
export interface TakenWriteOptions {
  readonly durability: Durability
  readonly signal: AbortSignal | undefined
}

const WRITE_MEMBERS: ReadonlySet<string> = new Set<keyof WriteOptions>(['durability', 'signal'])

const DURABILITIES = ['durable', 'buffered'] as const

const NO_WRITE_OPTIONS: TakenWriteOptions = { durability: 'durable', signal: undefined }

/** Throws `InvalidArgumentError` for options of a write that don't exist or can't be meant. */
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
