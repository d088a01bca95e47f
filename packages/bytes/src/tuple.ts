import { decodeElements } from './internal/tuple-decoder.js'
import { encodeElements } from './internal/tuple-encoder.js'

/**
 * An element of a tuple key. Values of different types order as
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
 * Encodes a tuple so that encodings sort, as unsigned bytes, the way the tuples sort: element by
 * element, and a tuple before every longer tuple that starts with it. Within a type, numbers and
 * bigints sort by size, dates by time, strings by code point (their UTF-8), byte arrays by byte,
 * and nested tuples by these same rules. Numbers and bigints are two types: 1 and 1n are different
 * keys, and every number comes before every bigint. -0 is written as 0: both are one key, as in a
 * `Map`.
 *
 * Throws `InvalidArgumentError` for NaN, invalid dates, lone surrogates (they have no UTF-8 form),
 * tuples nested deeper than 64, and values of other types. FORMAT.md has the layout.
 */
export function encodeTuple(values: readonly TupleValue[]): Uint8Array {
  return encodeElements(values)
}

/**
 * Decodes what `encodeTuple` returned; byte arrays are copies. Throws `CorruptionError` for bytes
 * that `encodeTuple` never returns: no tuple has two encodings.
 */
export function decodeTuple(bytes: Uint8Array): TupleValue[] {
  return decodeElements(bytes)
}

/**
 * The byte prefix of exactly the tuples that start with `values`: to find them, scan from it to its
 * `prefixEnd`. Elements match whole: `tuplePrefix(['a'])` finds `['a', 1]`, not `['ab']`.
 */
export function tuplePrefix(values: readonly TupleValue[]): Uint8Array {
  // No element's encoding is a prefix of another's, so the elements' bytes are enough.
  return encodeElements(values)
}
