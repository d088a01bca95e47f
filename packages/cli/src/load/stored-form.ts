import { encodeTuple, fromBase64, fromHex, utf8Encode } from '@firn/bytes'
import { tupleFromJson } from '../text/tuple-json.js'
import { BadRowError } from './bad-row.js'
import { assertExact } from './source-text.js'

/** Encodes a key of these parts. `encoding` is the name of the table's key encoding. */
export function keyOfParts(parts: readonly unknown[], encoding: string): Uint8Array {
  if (encoding === 'tuple') return encodeTuple(tupleFromJson(parts))
  return utf8Encode(scalarText(parts[0]))
}

/** Encodes the key of a `{"key":…}` row. */
export function keyOfJson(key: unknown, encoding: string): Uint8Array {
  if (encoding !== 'tuple') return utf8Encode(scalarText(key))
  return encodeTuple(tupleFromJson(Array.isArray(key) ? key : [key]))
}

/**
 * Encodes the value of a `{"value":…}` row. `json` is its JSON text as it stands in the file, so
 * that numbers keep all their digits.
 */
export function valueOfJson(value: unknown, json: string, encoding: string): Uint8Array {
  if (encoding === 'json') return utf8Encode(json)
  if (encoding === 'tuple') {
    const tuple = encodeTuple(tupleFromJson(value))
    assertExact(json, 'the value')
    return tuple
  }
  return utf8Encode(typeof value === 'string' ? value : json)
}

/** Decodes the digits of a row that has an `"encoding"`. */
export function bytesOfDigits(digits: unknown, encoding: unknown, what: string): Uint8Array {
  if (typeof digits !== 'string') {
    throw new BadRowError(`${what} is not a string of digits, as "encoding" says it is`)
  }
  if (encoding === 'hex') return fromHex(digits)
  if (encoding === 'base64') return fromBase64(digits)
  throw new BadRowError('"encoding" is neither "hex" nor "base64"')
}

function scalarText(value: unknown): string {
  if (typeof value === 'string') return value
  if (typeof value === 'boolean') return String(value)
  if (typeof value === 'number') {
    if (Number.isInteger(value) && !Number.isSafeInteger(value)) {
      throw new BadRowError(
        'the key is an integer beyond 2^53, which would lose digits; write it as a string',
      )
    }
    return String(value)
  }
  throw new BadRowError('the key is not a string, a number or a boolean')
}
