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

/** Both ends of a range. A missing end means that the range goes to that end of the table. */
export interface EncodedRange {
  readonly lower: RangeEnd | undefined
  readonly upper: RangeEnd | undefined
}

const BOUNDS = ['gt', 'gte', 'lt', 'lte', 'prefix'] as const
const RANGE_MEMBERS: ReadonlySet<string> = new Set<keyof Range<never>>(BOUNDS)

const WHOLE: EncodedRange = { lower: undefined, upper: undefined }

/**
 * The bounds of a range, encoded at the call for the same reasons as in `TakenKey`, and with the
 * same exception.
 */
export class TakenRange {
  readonly #table: KeyedTable
  readonly #given: Range<never> | undefined
  #encoding: Encoding<never> | undefined
  #encoded: EncodedRange | undefined

  /**
   * Throws `InvalidArgumentError` for bounds that exclude each other, and for keys that the table
   * can't hold, if that is known. The caller checks the other members of `range`.
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

  /**
   * Returns the bounds as keys are stored. Throws `InvalidArgumentError` for keys that the table
   * can't hold.
   */
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

/** Bounds of any type. */
type Given = { readonly [bound in keyof Range<never>]?: unknown }

/**
 * Takes a range that has no members besides its bounds; throws `InvalidArgumentError` for any
 * others.
 */
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
