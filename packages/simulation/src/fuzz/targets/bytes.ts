import {
  ByteReader,
  ByteWriter,
  decodeTuple,
  encodeTuple,
  fromBase64,
  fromHex,
  parsePrintable,
  printable,
  type TupleValue,
  toBase64,
  toHex,
  utf8Decode,
  utf8Encode,
} from '@firn/bytes'
import { isFirnError } from '@firn/env'
import type { Random } from '../../random.js'
import { assertSame, assertSound, type FuzzTarget } from '../fuzz-target.js'
import { someBytes, someNumber, someText } from '../values.js'

/** A reader's reads, each chosen by the byte before it; what was read is written again. */
const reader: FuzzTarget = {
  name: 'byte-reader',
  corpus: (random) =>
    Array.from({ length: 30 }, () => {
      const out = new ByteWriter()
      for (let left = random.below(20); left > 0; left--) {
        const kind = random.below(7)
        out.u8(kind)
        if (kind === 0) out.varint(someNumber(random))
        else if (kind === 1) out.u64(someNumber(random))
        else if (kind === 2) out.text(someText(random))
        else if (kind === 3) out.prefixed(someBytes(random))
        else if (kind === 4) out.u16(random.below(0x1_0000))
        else if (kind === 5) out.u32(random.below(2 ** 32))
        else out.f64(random.number())
      }
      return out.take()
    }),
  decode(bytes) {
    const input = new ByteReader(bytes, 'input')
    while (!input.atEnd) {
      const kind = input.u8() % 7
      const start = input.offset
      const again = new ByteWriter()
      if (kind === 0) again.varint(input.varint())
      else if (kind === 1) again.u64(input.u64())
      else if (kind === 2) again.text(input.text())
      else if (kind === 3) again.prefixed(input.prefixed())
      else if (kind === 4) again.u16(input.u16())
      else if (kind === 5) again.u32(input.u32())
      else input.f64()
      if (kind === 6) continue
      assertSame(again.take(), bytes.slice(start, input.offset), `read ${kind}`)
    }
  },
}

function someTuple(random: Random, depth: number): TupleValue[] {
  return Array.from({ length: random.below(5) }, () => someElement(random, depth))
}

function someElement(random: Random, depth: number): TupleValue {
  switch (random.below(depth > 5 ? 8 : 9)) {
    case 0:
      return null
    case 1:
      return random.below(2) === 0
    case 2:
      return someNumber(random) * (random.below(2) - 0.5)
    case 3:
      return BigInt(someNumber(random)) ** BigInt(random.below(40)) * BigInt(random.below(3) - 1)
    case 4:
      return new Date(Math.min(someNumber(random), 8.64e15))
    case 5:
      return someText(random)
    case 6:
      return someBytes(random)
    case 7:
      return random.number()
    default:
      return someTuple(random, depth + 1)
  }
}

/** No tuple has two encodings: an accepted input is encoded to the same bytes. */
const tuple: FuzzTarget = {
  name: 'tuple',
  corpus: (random) => Array.from({ length: 40 }, () => encodeTuple(someTuple(random, 0))),
  decode(bytes) {
    assertSame(encodeTuple(decodeTuple(bytes)), bytes, 'tuple')
  },
}

/** Bytes as text and back, and text that people type. */
const text: FuzzTarget = {
  name: 'text',
  corpus: (random) =>
    Array.from({ length: 30 }, () => {
      const bytes = random.below(2) === 0 ? someBytes(random) : utf8Encode(someText(random))
      const forms = [printable, toHex, toBase64] as const
      return utf8Encode((forms[random.below(3)] ?? printable)(bytes))
    }),
  words: ['\\x00', '\\', '\\\\', '=', '==', '\u{1F600}', '\ufeff', '\u202e', '\0'],
  refusals: ['FIRN_INVALID_ARGUMENT'],
  decode(bytes) {
    assertSame(parsePrintable(printable(bytes)), bytes, 'printable')
    const characters = utf8Decode(bytes)
    assertSame(utf8Encode(characters), bytes, 'UTF-8')
    const forms = [
      [fromHex, toHex],
      [fromBase64, toBase64],
      [parsePrintable, printable],
    ] as const
    for (const [decode, encode] of forms) {
      const decoded = valueIn(() => decode(characters))
      if (decoded !== undefined) assertSame(decode(encode(decoded)), decoded, decode.name)
    }
    assertSound(characters.length <= bytes.length, 'more characters than bytes')
  },
}

function valueIn<T>(decode: () => T): T | undefined {
  try {
    return decode()
  } catch (error) {
    if (isFirnError(error, 'FIRN_INVALID_ARGUMENT')) return undefined
    throw error
  }
}

export const bytesTargets: readonly FuzzTarget[] = [reader, tuple, text]
