import { copyBytes } from '@firn/bytes'
import { InvalidArgumentError, isDate, isUint8Array } from '@firn/env'
import { type Encoding, encodeToKeep, encodeWith } from '../../encoding.js'
import { typeName } from './members.js'
import { assertKey, assertValue } from './sizes.js'

/** The table that a key is of, as far as encoding the key goes. */
export interface KeyedTable {
  /** How its keys become bytes, as far as is known by now. */
  readonly keys: Encoding<never>
  /** True if its keys were given an encoding by the caller: then `keys` never changes. */
  readonly keysAreFixed: boolean
  /** True if this process has seen the table, and so knows its encodings. */
  readonly isKnown: boolean
}

/** The table that a record is written to, as far as encoding the record goes. */
export interface WrittenTable extends Pick<KeyedTable, 'keys'> {
  readonly values: Encoding<never>
  /** True if encoding a value may overwrite the bytes of the key that was encoded before it. */
  readonly valuesMayOverwriteKeys: boolean
}

/**
 * A key as a call was given it, for a call that has to wait: the caller may change its array, or
 * the encoding its scratch memory, as soon as the call returns.
 *
 * The key is encoded here, at the call. The encoding of a table that the caller gave none may be
 * another one after the wait, since the table was seen for the first time or made anew; so a copy
 * of the key itself is kept for such tables.
 */
export class TakenKey {
  readonly #table: KeyedTable
  readonly #key: unknown
  #encoding: Encoding<never> | undefined
  #bytes: Uint8Array | undefined

  /**
   * `bytes`: how the table's encoding encoded the key just now, if it did; they don't change. Throws
   * `InvalidArgumentError` for a key that the table can't hold, if that is known.
   */
  constructor(table: KeyedTable, key: unknown, bytes?: Uint8Array) {
    this.#table = table
    this.#key = table.keysAreFixed ? undefined : ownCopy(key)
    if (bytes !== undefined) {
      this.#encoding = table.keys
      this.#bytes = bytes
    } else if (table.keysAreFixed) this.#encode(table.keys, key, encodeToKeep)
    else if (table.isKnown) this.#encode(table.keys, this.#key, encodeWith)
  }

  /** As it is stored. Throws `InvalidArgumentError` for a key that the table can't hold. */
  stored(): Uint8Array {
    const { keys, keysAreFixed } = this.#table
    const bytes = this.#bytes
    if (bytes !== undefined && (keysAreFixed || keys === this.#encoding)) return bytes
    return this.#encode(keys, this.#key, encodeWith)
  }

  #encode(keys: Encoding<never>, key: unknown, encode: typeof encodeWith): Uint8Array {
    const bytes = encode(keys as Encoding<unknown>, key)
    assertKey(bytes)
    this.#encoding = keys
    this.#bytes = bytes
    return bytes
  }
}

/**
 * The keys of one call, as `TakenKey`. A key that the caller can't change, such as a string, is
 * encoded when it is needed.
 */
export class TakenKeys {
  readonly #table: KeyedTable
  readonly #keys: readonly unknown[]

  constructor(table: KeyedTable, keys: readonly unknown[]) {
    this.#table = table
    this.#keys = keys.map((key) => (isPrimitive(key) ? key : new TakenKey(table, key)))
  }

  /**
   * The key at an index, as it is stored, until the next call. Throws as `TakenKey.stored` does.
   */
  stored(index: number): Uint8Array {
    const key = this.#keys[index]
    return key instanceof TakenKey ? key.stored() : encodeKey(this.#table, key)
  }
}

/** A key of a table as it is stored. Throws `InvalidArgumentError` for one that can't be. */
export function encodeKey(table: Pick<KeyedTable, 'keys'>, key: unknown): Uint8Array {
  const bytes = encodeWith(table.keys as Encoding<unknown>, key)
  assertKey(bytes)
  return bytes
}

/**
 * As `encodeKey`, for a key that a value is encoded after: an encoding of the caller's may write
 * both to one array.
 */
export function encodeKeyBesideValue(table: WrittenTable, key: unknown): Uint8Array {
  const bytes = encodeKey(table, key)
  return table.valuesMayOverwriteKeys ? copyBytes(bytes) : bytes
}

/** A value of a table as it is stored. Throws `InvalidArgumentError` for one that can't be. */
export function encodeValue({ values }: WrittenTable, value: unknown): Uint8Array {
  if (value === undefined) {
    throw new InvalidArgumentError('a value may not be undefined; delete removes a key')
  }
  const bytes = encodeWith(values as Encoding<unknown>, value)
  assertValue(bytes)
  return bytes
}

function isPrimitive(key: unknown): boolean {
  return key === null || (typeof key !== 'object' && typeof key !== 'function')
}

/** Throws `InvalidArgumentError` unless keys come in an array. */
export function assertKeys(call: string, keys: unknown): void {
  if (Array.isArray(keys)) return
  throw new InvalidArgumentError(`${call} takes an array of keys, got ${typeName(keys)}`)
}

/**
 * A copy of a key that no caller can change: of those that the encodings known by name take. All
 * others are the caller's own encoding's, which is given when its table is.
 */
export function ownCopy(key: unknown): unknown {
  if (typeof key !== 'object' || key === null) return key
  if (isUint8Array(key)) return copyBytes(key)
  if (Array.isArray(key)) return key.map(ownCopy)
  if (isDate(key)) return new Date(key.getTime())
  return key
}
