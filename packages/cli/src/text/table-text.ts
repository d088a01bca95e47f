import { decodeTuple, encodeTuple, tuplePrefix, utf8Encode } from '@firn/bytes'
import { isFirnError } from '@firn/env'
import { UsageError } from '../errors.js'
import {
  type ByteFormat,
  bytesOf,
  digitsOf,
  documentOf,
  lineOf,
  printableJson,
  utf8OrUndefined,
} from './byte-text.js'
import { whyInexact } from './exact-json.js'
import { isJson, jsonTextOf } from './json-text.js'
import { tupleFromJson, tupleToJson } from './tuple-json.js'

/** Names of the encodings that a table was created with. */
export interface EncodingNames {
  keys: string
  values: string
}

/**
 * Converts the keys and values of one table between bytes and what people write and read: tuples as
 * JSON arrays, JSON as JSON, everything else as UTF-8 text. With a format of digits, all of them
 * are as stored.
 */
export class TableText {
  readonly encodings: EncodingNames
  readonly format: ByteFormat

  constructor(encodings: EncodingNames, format: ByteFormat) {
    this.encodings = encodings
    this.format = format
  }

  /** Encodes a key from the command line. Throws `UsageError` if it is invalid. */
  key(text: string, what = 'the key'): Uint8Array {
    if (!this.#isTyped('tuple', 'keys')) return bytesOf(text, this.format, what)
    return tupleBytes(text, what, encodeTuple)
  }

  /** Returns the bytes that stored keys with this prefix begin with. */
  prefix(text: string): Uint8Array {
    if (!this.#isTyped('tuple', 'keys')) return bytesOf(text, this.format, '--prefix')
    return tupleBytes(text, '--prefix', tuplePrefix)
  }

  /** Encodes a value from the command line. */
  value(text: string): Uint8Array {
    if (this.#isTyped('tuple', 'values')) return tupleBytes(text, 'the value', encodeTuple)
    if (this.#isTyped('json', 'values')) {
      if (!isJson(text)) {
        throw new UsageError(
          'the value is not JSON, but this table’s values are; quote a string as \'"text"\'',
        )
      }
      // As written: numbers keep all their digits.
      return utf8Encode(text.trim())
    }
    return bytesOf(text, this.format, 'the value')
  }

  /** Encodes a value from stdin: if it isn't JSON or a tuple, bytes stay as they are. */
  pipedValue(bytes: Uint8Array): Uint8Array {
    const typed = this.#isTyped('json', 'values') || this.#isTyped('tuple', 'values')
    if (!typed && this.format === 'text') return bytes
    const text = utf8OrUndefined(bytes)
    if (text === undefined) throw new UsageError('the value on stdin is not UTF-8 text')
    return this.value(text.trim())
  }

  showKey(bytes: Uint8Array): string {
    return this.#show(bytes, this.encodings.keys)
  }

  /** Shows a value on one line. */
  showValue(bytes: Uint8Array): string {
    return this.#show(bytes, this.encodings.values)
  }

  /** Shows a value by itself, as text that may have several lines. */
  document(bytes: Uint8Array): string {
    const { values } = this.encodings
    const plain = this.format === 'text' && values !== 'json' && values !== 'tuple'
    return plain ? documentOf(bytes) : this.showValue(bytes)
  }

  #show(bytes: Uint8Array, encoding: string): string {
    if (this.format !== 'text') return digitsOf(bytes, this.format)
    if (encoding === 'tuple' || encoding === 'json') {
      const json = encoding === 'tuple' ? tupleTextOf(bytes) : jsonTextOf(bytes)
      if (json !== undefined) return printableJson(json)
    }
    return lineOf(bytes)
  }

  #isTyped(encoding: string, role: keyof EncodingNames): boolean {
    return this.format === 'text' && this.encodings[role] === encoding
  }
}

/** Returns the JSON text of an encoded tuple; `undefined` for other bytes. */
export function tupleTextOf(bytes: Uint8Array): string | undefined {
  try {
    return JSON.stringify(tupleToJson(decodeTuple(bytes)))
  } catch (error) {
    if (isFirnError(error, 'FIRN_CORRUPTION')) return undefined
    throw error
  }
}

function tupleBytes(
  text: string,
  what: string,
  encode: (values: ReturnType<typeof tupleFromJson>) => Uint8Array,
): Uint8Array {
  const wrong = (why: string): UsageError => new UsageError(`${what}: ${why}`)
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch {
    throw wrong('a tuple is needed in this table; write a JSON array, like \'["user",42]\'')
  }
  let bytes: Uint8Array
  try {
    bytes = encode(tupleFromJson(json))
  } catch (error) {
    if (isFirnError(error, 'FIRN_INVALID_ARGUMENT')) throw wrong(error.message)
    throw error
  }
  const inexact = whyInexact(text)
  if (inexact !== undefined) throw wrong(`it${inexact}`)
  return bytes
}
