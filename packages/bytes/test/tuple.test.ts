import { runInNewContext } from 'node:vm'
import { CorruptionError, InvalidArgumentError } from '@firn/env'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  compareBytes,
  decodeTuple,
  encodeTuple,
  fromHex,
  prefixEnd,
  type TupleValue,
  toHex,
  tuplePrefix,
} from '../src/index.js'
import { compareTuples } from './tuple-model.js'

const numbers: number[] = [
  0,
  -0,
  1,
  -1,
  0.1,
  -0.1,
  Number.MIN_VALUE,
  -Number.MIN_VALUE,
  2 ** 31,
  2 ** 53,
  -(2 ** 53),
  Number.MAX_VALUE,
  -Number.MAX_VALUE,
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
]
const bigints = fc.oneof(
  fc.bigInt(),
  fc.bigInt({ min: -300n, max: 300n }),
  // Around the powers of 256, where a byte is added, up to past the short count of 126 bytes.
  fc
    .tuple(fc.nat(130), fc.bigInt({ min: -2n, max: 2n }), fc.boolean())
    .map(([bytes, delta, negative]) => {
      const value = 256n ** BigInt(bytes) + delta
      return negative ? -value : value
    }),
)
const strings = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 6 }),
  fc.string({
    unit: fc.constantFrom('\0', '\u0001', '\u0002', 'a', '\u007f', 'é', '\uffff', '\ue000', '😀'),
    maxLength: 4,
  }),
)
const byteArrays = fc.oneof(
  fc.uint8Array({ maxLength: 6 }),
  fc
    .array(fc.constantFrom(0, 1, 2, 0xfe, 0xff), { maxLength: 4 })
    .map((list) => Uint8Array.from(list)),
)

const { value: anyValue } = fc.letrec<{ value: TupleValue }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constantFrom<TupleValue>(null, true, false),
    fc.double({ noNaN: true }),
    fc.constantFrom(...numbers),
    fc.integer({ min: -3, max: 3 }),
    bigints,
    strings,
    byteArrays,
    fc.date({ noInvalidDate: true }),
    fc.integer({ min: -3, max: 3 }).map((ms) => new Date(ms)),
    fc.array(tie('value'), { maxLength: 4 }),
  ),
}))
const tuples = fc.array(anyValue, { maxLength: 4 })

/** Two tuples that often share their beginning. */
const pairs = fc.oneof(
  fc.tuple(tuples, tuples),
  fc.tuple(tuples, tuples, tuples).map(([shared, a, b]): [TupleValue[], TupleValue[]] => [
    [...shared, ...a],
    [...shared, ...b],
  ]),
  fc.tuple(anyValue, anyValue).map(([a, b]): [TupleValue[], TupleValue[]] => [
    [[a], 1],
    [[b], 0],
  ]),
)

/** -0 reads back as 0; nothing else changes. */
function normalised(value: TupleValue): TupleValue {
  if (Array.isArray(value)) return value.map(normalised)
  return Object.is(value, -0) ? 0 : value
}

describe('tuple keys', () => {
  test('order as their values do', () => {
    fc.assert(
      fc.property(pairs, ([a, b]) => {
        expect(Math.sign(compareBytes(encodeTuple(a), encodeTuple(b)))).toBe(compareTuples(a, b))
      }),
      { numRuns: 5000 },
    )
  })

  test('decode to what was encoded', () => {
    fc.assert(
      fc.property(tuples, (tuple) => {
        expect(decodeTuple(encodeTuple(tuple))).toEqual(normalised(tuple))
      }),
      { numRuns: 2000 },
    )
  })

  test('meet any bytes with a tuple that encodes to them, or a CorruptionError', () => {
    const tags = fc.constantFrom(
      ...[0, 1, 2, 4, 5, 0x10, 0x18, 0x20, 0x28, 0x30, 0x38, 0x7f, 0x80, 0x81, 0x82, 0xff],
    )
    const hostile = fc.oneof(
      fc.uint8Array({ maxLength: 24 }),
      fc.array(tags, { maxLength: 16 }).map((list) => Uint8Array.from(list)),
      // One byte changed, a tail cut: most reach deep into the decoder.
      fc.tuple(tuples, fc.nat(200), fc.nat(255), fc.boolean()).map(([tuple, at, byte, cut]) => {
        const bytes = encodeTuple(tuple)
        if (cut) return bytes.slice(0, at)
        if (at < bytes.length) bytes[at] = byte
        return bytes
      }),
    )
    fc.assert(
      fc.property(hostile, (bytes) => {
        let values: TupleValue[]
        try {
          values = decodeTuple(bytes)
        } catch (error) {
          expect(error).toBeInstanceOf(CorruptionError)
          return
        }
        expect(encodeTuple(values)).toEqual(bytes)
      }),
      { numRuns: 5000 },
    )
  })

  test('have the prefix of exactly the tuples that start with it', () => {
    fc.assert(
      fc.property(tuples, pairs, (other, [prefix, tuple]) => {
        const from = tuplePrefix(prefix)
        const to = prefixEnd(from)
        for (const candidate of [other, tuple, [...prefix, ...other], prefix]) {
          const key = encodeTuple(candidate)
          const inRange =
            compareBytes(key, from) >= 0 && (to === undefined || compareBytes(key, to) < 0)
          const head = candidate.slice(0, prefix.length)
          expect(inRange).toBe(head.length === prefix.length && compareTuples(head, prefix) === 0)
        }
      }),
      { numRuns: 2000 },
    )
  })

  test('keep a prefix of a string out of the prefix scan of the whole string', () => {
    const prefix = toHex(tuplePrefix(['a']))
    expect(toHex(encodeTuple(['a', 1]))).toMatch(new RegExp(`^${prefix}`))
    for (const other of ['ab', 'a\0', 'a\0b', 'a\u0001']) {
      expect(toHex(encodeTuple([other]))).not.toMatch(new RegExp(`^${prefix}`))
    }
  })

  test('take -0 for 0, and keep 1 and 1n apart', () => {
    expect(encodeTuple([-0])).toEqual(encodeTuple([0]))
    expect(encodeTuple([1])).not.toEqual(encodeTuple([1n]))
  })

  test('refuse what has no place or no form', () => {
    const bad: unknown[] = [
      Number.NaN,
      undefined,
      Symbol('x'),
      () => 1,
      {},
      new Map(),
      new Uint16Array(1),
      new Date(Number.NaN),
      'a\ud800',
      `${'x'.repeat(40)}\udc00`,
      // biome-ignore lint/suspicious/noSparseArray: a hole reads as undefined.
      [,],
    ]
    for (const value of bad) {
      expect(() => encodeTuple([value as TupleValue])).toThrow(InvalidArgumentError)
      expect(() => encodeTuple([[value as TupleValue]])).toThrow(InvalidArgumentError)
    }
    // The failed call doesn't disturb the next one.
    expect(toHex(encodeTuple([null]))).toBe('02')
  })

  test('bound nesting, both ways', () => {
    let nested: TupleValue[] = []
    for (let depth = 1; depth < 64; depth++) nested = [nested]
    expect(decodeTuple(encodeTuple([nested]))).toEqual([nested])
    expect(() => encodeTuple([[nested]])).toThrow(InvalidArgumentError)
    expect(() => decodeTuple(new Uint8Array(1_000_000).fill(0x38))).toThrow(CorruptionError)
    const cyclic: TupleValue[] = []
    cyclic.push(cyclic)
    expect(() => encodeTuple(cyclic)).toThrow(InvalidArgumentError)
  })

  test('have one form only: every other one is corrupt', () => {
    const bad: [string, string][] = [
      ['00', 'unknown type 0x0'],
      ['03', 'unknown type 0x3'],
      ['ff', 'unknown type 0xff'],
      ['10', 'truncated'],
      ['107fffffffffffffff', 'NaN or -0'],
      ['10fff8000000000000', 'NaN or -0'],
      ['1880', ''],
      ['18', 'truncated'],
      ['188100', 'leading zeros'],
      ['187fff', 'leading zeros'],
      ['1800ffffffff', 'head of 0x00'],
      ['18ff0000000101', 'overlong count'],
      ['18ffffffffff01', 'truncated'],
      ['1881', 'truncated'],
      ['20bfe8000000000000', 'a date that is out of range'],
      ['20fff0000000000000', 'a date that is out of range'],
      ['207fffffffffffffff', 'a date that is out of range'],
      ['2861', 'truncated'],
      ['286101', 'escape'],
      ['28610100', 'escape'],
      ['28610300', ''],
      ['286101030000', 'escape'],
      ['28ff00', 'not UTF-8'],
      ['28eda08000', 'not UTF-8'],
      ['30', 'truncated'],
      ['38', 'truncated'],
      ['3802', 'truncated'],
    ]
    for (const [hex, problem] of bad) {
      if (problem === '') expect(toHex(encodeTuple(decodeTuple(fromHex(hex))))).toBe(hex)
      else expect(() => decodeTuple(fromHex(hex)), hex).toThrow(problem)
    }
    expect(() => decodeTuple(fromHex('0203'))).toThrow(
      'tuple key: an element of unknown type 0x3, at offset 1',
    )
  })

  test('take bytes and dates of another realm', () => {
    const [bytes, date] = runInNewContext('[new Uint8Array([1, 2]), new Date(5)]') as TupleValue[]
    expect(decodeTuple(encodeTuple([bytes as TupleValue, date as TupleValue]))).toEqual([
      Uint8Array.of(1, 2),
      new Date(5),
    ])
    expect(decodeTuple(encodeTuple([Buffer.from([7])]))).toEqual([Uint8Array.of(7)])
  })

  test('give bytes of their own', () => {
    const first = encodeTuple(['x', Uint8Array.of(9)])
    const [, bytes] = decodeTuple(first)
    first.fill(0)
    expect(bytes).toEqual(Uint8Array.of(9))
    const second = encodeTuple([1])
    encodeTuple([2])
    expect(decodeTuple(second)).toEqual([1])
  })

  test('may be encoded while another one is being encoded', () => {
    const inner = new Proxy(['a'], {
      get: (target, name) => {
        encodeTuple(['something', 'else'])
        return Reflect.get(target, name)
      },
    })
    expect(decodeTuple(encodeTuple(['x', inner, 'y']))).toEqual(['x', ['a'], 'y'])
  })

  test('hold bigints of thousands of digits', () => {
    const huge = 7n ** 20_000n
    expect(decodeTuple(encodeTuple([huge, -huge]))).toEqual([huge, -huge])
  })
})
