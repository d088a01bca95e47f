import { decodeTuple, type TupleValue, utf8Decode, utf8Encode } from '@firn/bytes'

/** Names of key and value encodings, as tables have them. */
export type KeyKind = 'utf8' | 'bytes' | 'tuple'
export type ValueKind = 'utf8' | 'bytes'

/**
 * The simulation knows all keys as ASCII text. In a table of tuples, a key is the tuple of its
 * characters, with the first one as an array of one byte. So order and prefixes are those of the
 * text.
 */
export function fillTuple(tuple: TupleValue[], text: string, first: Uint8Array): void {
  tuple.length = 0
  if (text === '') return
  tuple.push(first)
  for (const character of text.slice(1)) tuple.push(character)
}

/** Returns the text of a key that a table returned. */
export function textOfKey(kind: KeyKind, key: unknown): string {
  switch (kind) {
    case 'utf8':
      return key as string
    case 'bytes':
      return utf8Decode(key as Uint8Array)
    case 'tuple': {
      const [first, ...rest] = key as TupleValue[]
      if (first === undefined) return ''
      return utf8Decode(first as Uint8Array) + rest.join('')
    }
  }
}

/** Returns the text of a key as it is stored. */
export function textOfStored(kind: KeyKind, stored: Uint8Array): string {
  if (kind === 'tuple') return textOfKey(kind, decodeTuple(stored))
  return utf8Decode(stored)
}

/** Returns the text of a value that a table returned. */
export function textOfValue(kind: ValueKind, value: unknown): string {
  return kind === 'utf8' ? (value as string) : utf8Decode(value as Uint8Array)
}

/** The bytes of ASCII text. */
export function bytesOfText(text: string): Uint8Array {
  return utf8Encode(text)
}
