import { encodeTuple, fromBase64, fromHex, utf8Encode } from '@firn/bytes'
import { tupleFromJson } from '../text/tuple-json.js'
import { BadRowError } from './bad-row.js'
import { assertExact } from './source-text.js'

/** The stored bytes of a key of these parts, by the name of the table's key encoding. */
export function keyOfParts(parts: readonly unknown[], encoding: string): Uint8Array {
  if (encoding === 'tuple') return encodeTuple(tupleFromJson(parts))
  return utf8Encode(scalarText(parts[0]))
}

/** The stored bytes of a key in a `{"key":…}` row. */
export function keyOfJson(key: unknown, encoding: string): Uint8Array {
  if (encoding !== 'tuple') return utf8Encode(scalarText(key))
  return encodeTuple(tupleFromJson(Array.isArray(key) ? key : [key]))
}

/**
 * The stored bytes of a value in a `{"value":…}` row. `json` is its JSON text as it stands in the
 * file, so that numbers keep all their digits.
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

/** The bytes that digits stand for, in a row that says so. */
export function bytesOfDigits(digits: unknown, encoding: unknown, what: string): Uint8Array {
  if (typeof digits !== 'string') {
    throw new BadRowError(`${what} is no string, as "encoding" says it is`)
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
        'the key is an integer beyond 2^53, of which digits would be lost; write it as a string',
      )
    }
    return String(value)
  }
  throw new BadRowError('the key is neither a string, a number nor a boolean')
}
