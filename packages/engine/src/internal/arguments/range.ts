import { prefixEnd } from '@firn/bytes'
import { InvalidArgumentError } from '@firn/env'
import { type Encoding, encodePrefixToKeep, encodeToKeep } from '../../encoding.js'
import type { Range } from '../../range.js'
import { type KeyedTable, ownCopy } from './keys.js'
import { assertMembers } from './members.js'

/** One end of a range of keys, as they are stored. */
export interface RangeEnd {
  readonly key: Uint8Array
  readonly inclusive: boolean
}

/** Both ends; without one it goes on to that end of the table. */
export interface EncodedRange {
  readonly lower: RangeEnd | undefined
  readonly upper: RangeEnd | undefined
}

const BOUNDS = ['gt', 'gte', 'lt', 'lte', 'prefix'] as const
const RANGE_MEMBERS: ReadonlySet<string> = new Set<keyof Range<never>>(BOUNDS)

const WHOLE: EncodedRange = { lower: undefined, upper: undefined }

/**
 * The bounds of a range as a call was given them: encoded at the call, for the reasons that
 * `TakenKey` has, and for the same exception.
 */
export class TakenRange {
  readonly #table: KeyedTable
  readonly #given: Range<never> | undefined
  #encoding: Encoding<never> | undefined
  #encoded: EncodedRange | undefined

  /**
   * Throws `InvalidArgumentError` for bounds that exclude each other, and for what the table's keys
   * can't be, where that is known. Other members of `range` are the caller's to look at.
   */
  constructor(table: KeyedTable, range: Range<never>) {
    this.#table = table
    const { gt, gte, lt, lte, prefix } = range
    if (gt === undefined && gte === undefined && lt === undefined && lte === undefined) {
      if (prefix === undefined) {
        this.#encoded = WHOLE
        return
      }
    } else if (prefix !== undefined) {
      throw new InvalidArgumentError('a range has either a prefix or gt, gte, lt, lte, not both')
    }
    if (gt !== undefined && gte !== undefined) throw twice('gt', 'gte')
    if (lt !== undefined && lte !== undefined) throw twice('lt', 'lte')
    if (table.keysAreFixed) {
      this.#encode(table.keys, { gt, gte, lt, lte, prefix })
      return
    }
    this.#given = {
      gt: ownCopy(gt),
      gte: ownCopy(gte),
      lt: ownCopy(lt),
      lte: ownCopy(lte),
      prefix: ownCopy(prefix),
    } as Range<never>
    if (table.isKnown) this.#encode(table.keys, this.#given)
  }

  /** As keys are stored. Throws `InvalidArgumentError` for what the table's keys can't be. */
  encoded(): EncodedRange {
    const { keys } = this.#table
    const encoded = this.#encoded
    if (encoded !== undefined && (this.#given === undefined || keys === this.#encoding)) {
      return encoded
    }
    return this.#encode(keys, this.#given as Range<never>)
  }

  #encode(keys: Encoding<never>, range: Given): EncodedRange {
    this.#encoding = keys
    this.#encoded = encodeRange(keys as Encoding<unknown>, range)
    return this.#encoded
  }
}

/** Bounds of whatever type. */
type Given = { readonly [bound in keyof Range<never>]?: unknown }

/** For calls whose range has no other members. Throws `InvalidArgumentError` for those, too. */
export function takeRange(call: string, table: KeyedTable, range: Range<never>): TakenRange {
  assertMembers(call, range, RANGE_MEMBERS)
  return new TakenRange(table, range)
}

function encodeRange(keys: Encoding<unknown>, range: Given): EncodedRange {
  const { gt, gte, lt, lte, prefix } = range
  if (prefix !== undefined) {
    const key = encodePrefixToKeep(keys, prefix)
    const end = prefixEnd(key)
    return {
      lower: { key, inclusive: true },
      upper: end === undefined ? undefined : { key: end, inclusive: false },
    }
  }
  const lower = gt ?? gte
  const upper = lt ?? lte
  return {
    lower: lower === undefined ? undefined : end(keys, lower, gt === undefined),
    upper: upper === undefined ? undefined : end(keys, upper, lt === undefined),
  }
}

function end(keys: Encoding<unknown>, key: unknown, inclusive: boolean): RangeEnd {
  return { key: encodeToKeep(keys, key), inclusive }
}

function twice(a: string, b: string): InvalidArgumentError {
  return new InvalidArgumentError(`a range has either ${a} or ${b}, not both`)
}
