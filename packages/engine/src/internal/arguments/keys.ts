import { copyBytes } from '@firn/bytes'
import { InvalidArgumentError, isDate, isUint8Array } from '@firn/env'
import { type Encoding, encodeToKeep, encodeWith } from '../../encoding.js'
import { typeName } from './members.js'
import { assertKey, assertValue } from './sizes.js'

/** The part of a table that encoding its keys needs. */
export interface KeyedTable {
  /** The encoding of its keys, as far as this process knows it. */
  readonly keys: Encoding<never>
  /** True if the caller gave an encoding for its keys: then `keys` never changes. */
  readonly keysAreFixed: boolean
  /** True if this process has seen the table, and so knows its encodings. */
  readonly isKnown: boolean
}

/** The part of a table that encoding its records needs. */
export interface WrittenTable extends Pick<KeyedTable, 'keys'> {
  readonly values: Encoding<never>
  /** True if encoding a value may overwrite the bytes of the key that was encoded before it. */
  readonly valuesMayOverwriteKeys: boolean
}

/**
 * A key taken at a call that has to wait. As soon as the call returns, the caller may change its
 * array, or the encoding its scratch memory.
 *
 * The key is encoded here, at the call. If the caller gave the table no encoding, the encoding may
 * change during the wait, because the process sees the table for the first time or the table is
 * created anew. For such tables a copy of the key itself is kept too.
 */
export class TakenKey {
  readonly #table: KeyedTable
  readonly #key: unknown
  #encoding: Encoding<never> | undefined
  #bytes: Uint8Array | undefined

  /**
   * `bytes`: the key as the table's encoding has just encoded it, if it has; the array must not
   * change. Throws `InvalidArgumentError` for a key that the table can't hold, if that is known.
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

  /**
   * Returns the key as it is stored. Throws `InvalidArgumentError` for a key that the table can't
   * hold.
   */
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
 * Keys taken at one call, like `TakenKey`. A key that the caller can't change, such as a string, is
 * encoded only when it is needed.
 */
export class TakenKeys {
  readonly #table: KeyedTable
  readonly #keys: readonly unknown[]

  constructor(table: KeyedTable, keys: readonly unknown[]) {
    this.#table = table
    this.#keys = keys.map((key) => (isPrimitive(key) ? key : new TakenKey(table, key)))
  }

  /** Returns a key as it is stored; valid until the next call. Throws as `TakenKey.stored` does. */
  stored(index: number): Uint8Array {
    const key = this.#keys[index]
    return key instanceof TakenKey ? key.stored() : encodeKey(this.#table, key)
  }
}

/**
 * Encodes a key as it is stored. Throws `InvalidArgumentError` for a key that the table can't hold.
 */
export function encodeKey(table: Pick<KeyedTable, 'keys'>, key: unknown): Uint8Array {
  const bytes = encodeWith(table.keys as Encoding<unknown>, key)
  assertKey(bytes)
  return bytes
}

/**
 * Encodes a key whose value is encoded next: an encoding of the caller's may use one array for
 * both.
 */
export function encodeKeyBesideValue(table: WrittenTable, key: unknown): Uint8Array {
  const bytes = encodeKey(table, key)
  return table.valuesMayOverwriteKeys ? copyBytes(bytes) : bytes
}

/**
 * Encodes a value as it is stored. Throws `InvalidArgumentError` for a value that the table can't
 * hold.
 */
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

/** Throws `InvalidArgumentError` unless `keys` is an array. */
export function assertKeys(call: string, keys: unknown): void {
  if (Array.isArray(keys)) return
  throw new InvalidArgumentError(`${call} takes an array of keys, got ${typeName(keys)}`)
}

/**
 * Copies a key of a type that the built-in encodings take, so that the caller can't change it. Any
 * other key belongs to an encoding of the caller's own, which is given with the table.
 */
export function ownCopy(key: unknown): unknown {
  if (typeof key !== 'object' || key === null) return key
  if (isUint8Array(key)) return copyBytes(key)
  if (Array.isArray(key)) return key.map(ownCopy)
  if (isDate(key)) return new Date(key.getTime())
  return key
}
