import {
  copyBytes,
  decodeTuple,
  encodeTuple,
  type TupleValue,
  tuplePrefix,
  utf8Decode,
  utf8Encode,
} from '@firn/bytes'
import { InvalidArgumentError, isUint8Array } from '@firn/env'
import { shown, typeName } from './internal/arguments/members.js'

/**
 * Converts typed keys or values to bytes and back. For keys, byte order is scan order. `encode` and
 * `encodePrefix` may return the same array each time: the engine copies or writes it before the
 * next call.
 */
export interface Encoding<T> {
  /** Persisted with the table, which then can't be opened with an encoding of another name. */
  readonly name?: string
  encode(value: T): Uint8Array
  decode(bytes: Uint8Array): T
  /** Returns the bytes that every key with this prefix begins with. Default: `encode`. */
  encodePrefix?(prefix: T): Uint8Array
}

export type EncodingName = 'bytes' | 'utf8' | 'json' | 'tuple'

/** An encoding of any type. */
export interface AnyEncoding {
  readonly name?: string
  encode(value: never): Uint8Array
  decode(bytes: Uint8Array): unknown
  encodePrefix?(prefix: never): Uint8Array
}

/** The type that an encoding, or an encoding's name, converts; without one: bytes. */
export type EncodedType<E> = E extends 'utf8'
  ? string
  : E extends 'json'
    ? unknown
    : E extends 'tuple'
      ? TupleValue[]
      : E extends { decode(bytes: Uint8Array): infer T }
        ? T
        : Uint8Array

/** The name persisted for a user's encoding that has none. */
export const CUSTOM_ENCODING = 'custom'

const TYPES_HINT =
  "open the table with an encoding ('utf8', 'json', 'tuple' or your own) for other types"
const BUFFER_HINT =
  'pass a view of its bytes: new Uint8Array(buffer), or new Uint8Array(view.buffer, view.byteOffset, view.byteLength)'

const bytesEncoding: Encoding<Uint8Array> = {
  name: 'bytes',
  encode(value) {
    if (!isUint8Array(value)) {
      throw new InvalidArgumentError(
        `expected a Uint8Array, got ${typeName(value)}; ${isBuffer(value) ? BUFFER_HINT : TYPES_HINT}`,
      )
    }
    return value
  },
  decode: (bytes) => bytes,
}

const utf8Encoding: Encoding<string> = {
  name: 'utf8',
  encode(value) {
    if (typeof value !== 'string') {
      throw new InvalidArgumentError(
        `expected a string for the utf8 encoding, got ${typeName(value)}`,
      )
    }
    return utf8Encode(value)
  },
  decode: utf8Decode,
}

const jsonEncoding: Encoding<unknown> = {
  name: 'json',
  encode(value) {
    let text: string | undefined
    try {
      text = JSON.stringify(value)
    } catch (cause) {
      throw new InvalidArgumentError(
        'a value has no JSON form: it refers to itself, nests too deep, or holds a bigint; store it with an encoding of your own',
        { cause },
      )
    }
    if (text === undefined) {
      throw new InvalidArgumentError(
        `a value of type ${typeName(value)} has no JSON form; store null, or delete the key`,
      )
    }
    return utf8Encode(text)
  },
  decode(bytes) {
    const text = utf8Decode(bytes)
    try {
      return JSON.parse(text) as unknown
    } catch {
      // No cause: the error that JSON.parse threw quotes the text.
      throw new InvalidArgumentError(`${bytes.length} bytes are not JSON; read them as bytes`)
    }
  },
}

const tupleEncoding: Encoding<readonly TupleValue[]> = {
  name: 'tuple',
  encode(value) {
    if (!Array.isArray(value)) {
      throw new InvalidArgumentError(
        `expected an array for the tuple encoding, got ${typeName(value)}`,
      )
    }
    return encodeTuple(value)
  },
  decode: decodeTuple,
  encodePrefix: tuplePrefix,
}

const BY_NAME: Readonly<Record<EncodingName, Encoding<never>>> = {
  bytes: bytesEncoding as Encoding<never>,
  utf8: utf8Encoding as Encoding<never>,
  json: jsonEncoding as Encoding<never>,
  tuple: tupleEncoding as unknown as Encoding<never>,
}

/** True for the identity encoding, which hot paths skip. */
export function isBytes(encoding: Encoding<never>): boolean {
  return encoding === BY_NAME.bytes
}

/** True for the name of a built-in encoding. */
export function isEncodingName(name: string): name is EncodingName {
  return Object.hasOwn(BY_NAME, name)
}

/** True for a built-in encoding that returns a new array from each call. */
export function makesFreshArrays(encoding: Encoding<never>): boolean {
  return encoding === BY_NAME.utf8 || encoding === BY_NAME.tuple || encoding === BY_NAME.json
}

/**
 * Returns the encoding of a name, or the user's own after a check of its shape. Throws
 * `InvalidArgumentError` for anything else, and for `json` as an encoding of keys: its byte order
 * isn't the order of its values.
 */
export function resolveEncoding(
  given: EncodingName | Encoding<never>,
  role: 'keys' | 'values',
): Encoding<never> {
  if (typeof given === 'string') {
    const known = isEncodingName(given) && !(role === 'keys' && given === 'json')
    if (known) return BY_NAME[given]
    throw new InvalidArgumentError(
      `unknown encoding ${shown(given)} for ${role}: use ${role === 'keys' ? "'bytes', 'utf8', 'tuple'" : "'bytes', 'utf8', 'json', 'tuple'"} or { encode, decode }`,
    )
  }
  if (typeof given?.encode !== 'function' || typeof given.decode !== 'function') {
    throw new InvalidArgumentError(
      `an encoding for ${role} needs the functions encode and decode, got ${typeName(given)}`,
    )
  }
  const { encodePrefix } = given
  if (encodePrefix !== undefined && typeof encodePrefix !== 'function') {
    throw new InvalidArgumentError(
      `encodePrefix of the encoding for ${role} must be a function, got ${shown(encodePrefix)}`,
    )
  }
  return given
}

/**
 * Encodes a value, and checks that the result is bytes. They may belong to the caller or the
 * encoding: use them before either runs again.
 */
export function encodeWith<T>(encoding: Encoding<T>, value: T): Uint8Array {
  const bytes = encoding.encode(value)
  if (!isUint8Array(bytes)) throw notBytes('encode', encoding, bytes)
  return bytes
}

/** Encodes a value into an array that is shared with no one else. */
export function encodeToKeep<T>(encoding: Encoding<T>, value: T): Uint8Array {
  return toKeep(encoding, encodeWith(encoding, value))
}

/** Encodes a prefix into an array that is shared with no one else. */
export function encodePrefixToKeep<T>(encoding: Encoding<T>, prefix: T): Uint8Array {
  if (encoding.encodePrefix === undefined) return encodeToKeep(encoding, prefix)
  const bytes = encoding.encodePrefix(prefix)
  if (!isUint8Array(bytes)) throw notBytes('encodePrefix', encoding, bytes)
  return toKeep(encoding, bytes)
}

function toKeep<T>(encoding: Encoding<T>, bytes: Uint8Array): Uint8Array {
  return makesFreshArrays(encoding as Encoding<never>) ? bytes : copyBytes(bytes)
}

function notBytes<T>(call: string, { name }: Encoding<T>, got: unknown): InvalidArgumentError {
  return new InvalidArgumentError(
    `${call} of the encoding ${shown(name ?? CUSTOM_ENCODING)} must return a Uint8Array, got ${typeName(got)}`,
  )
}

function isBuffer(value: unknown): boolean {
  return (
    ArrayBuffer.isView(value) ||
    /^\[object (Shared)?ArrayBuffer\]$/.test(Object.prototype.toString.call(value))
  )
}
