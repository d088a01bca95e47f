import { decodeElements } from './internal/tuple-decoder.js'
import { encodeElements } from './internal/tuple-encoder.js'

/**
 * What a tuple key may hold. Values of different types order as
 * null < false < true < numbers < bigints < dates < strings < byte arrays < tuples.
 */
export type TupleValue =
  | string
  | number
  | bigint
  | boolean
  | null
  | Date
  | Uint8Array
  | TupleValue[]

/**
 * Bytes whose unsigned order is the order of the values: element by element, a tuple before every
 * longer one that starts with it. Within a type: numbers and bigints by size, dates by time,
 * strings by code point (that is, by their UTF-8), byte arrays by byte, nested tuples by these
 * rules again. Numbers and bigints are two types: 1 and 1n are different keys, and every number
 * comes before every bigint. -0 is written as 0: the two are one key, as they are in a `Map`.
 *
 * Throws `InvalidArgumentError` for NaN, invalid dates, lone surrogates (they have no UTF-8 form),
 * tuples nested deeper than 64, and values of other types. The layout is in FORMAT.md.
 */
export function encodeTuple(values: readonly TupleValue[]): Uint8Array {
  return encodeElements(values)
}

/**
 * The values that `encodeTuple` made `bytes` of; byte arrays are copies. Throws `CorruptionError`
 * for bytes that `encodeTuple` never makes: no tuple has two encodings.
 */
export function decodeTuple(bytes: Uint8Array): TupleValue[] {
  return decodeElements(bytes)
}

/**
 * What the encodings of exactly those tuples start with whose first elements are `values`: scan
 * from it to its `prefixEnd`. Elements match whole: `tuplePrefix(['a'])` leads to `['a', 1]`, not
 * to `['ab']`.
 */
export function tuplePrefix(values: readonly TupleValue[]): Uint8Array {
  // No element's encoding is a prefix of another's, so the elements' bytes alone say it.
  return encodeElements(values)
}
