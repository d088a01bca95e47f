import { isFirnError } from '@firn/env'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ByteReader, ByteWriter, toHex, utf8Encode, varintLength } from '../src/index.js'

type Step =
  | readonly ['u8' | 'u16' | 'u32' | 'u64' | 'varint' | 'f64', number]
  | readonly ['bytes' | 'prefixed', Uint8Array]
  | readonly ['text', string]

const step = (): fc.Arbitrary<Step> =>
  fc.oneof(
    fc.tuple(fc.constant('u8' as const), fc.nat(0xff)),
    fc.tuple(fc.constant('u16' as const), fc.nat(0xffff)),
    fc.tuple(fc.constant('u32' as const), fc.nat(0xffffffff)),
    fc.tuple(fc.constant('u64' as const), fc.maxSafeNat()),
    fc.tuple(fc.constant('varint' as const), fc.maxSafeNat()),
    fc.tuple(fc.constant('varint' as const), fc.nat(70_000)),
    fc.tuple(fc.constant('f64' as const), fc.double()),
    fc.tuple(fc.constant('bytes' as const), fc.uint8Array({ maxLength: 80 })),
    fc.tuple(fc.constant('prefixed' as const), fc.uint8Array({ maxLength: 200 })),
    fc.tuple(fc.constant('text' as const), fc.string({ unit: 'grapheme', maxLength: 60 })),
    fc.tuple(fc.constant('text' as const), fc.string({ unit: 'binary', maxLength: 60 })),
  )

function write(writer: ByteWriter, [kind, value]: Step): void {
  switch (kind) {
    case 'bytes':
    case 'prefixed':
      writer[kind](value)
      break
    case 'text':
      writer.text(value)
      break
    default:
      writer[kind](value)
  }
}

function read(reader: ByteReader, [kind, value]: Step): Step[1] {
  if (kind === 'bytes') return reader.take(value.length)
  return reader[kind]()
}

function invalid(run: () => void): boolean {
  try {
    run()
    return false
  } catch (error) {
    return isFirnError(error, 'FIRN_INVALID_ARGUMENT')
  }
}

describe('ByteWriter', () => {
  test('writes what ByteReader reads, from any initial capacity', () => {
    fc.assert(
      fc.property(fc.nat(40), fc.array(step(), { maxLength: 30 }), (initial, steps) => {
        const writer = new ByteWriter(initial)
        for (const each of steps) write(writer, each)
        const { length } = writer
        expect(writer.view().length).toBe(length)
        const bytes = writer.take()
        expect(bytes.length).toBe(length)
        expect(bytes.buffer.byteLength).toBe(length)
        expect(writer.length).toBe(0)
        const reader = new ByteReader(bytes, 'steps')
        for (const each of steps) expect(read(reader, each)).toEqual(each[1])
        reader.expectEnd()
      }),
      { numRuns: 300 },
    )
  })

  test('writes little endian, and LEB128 in its shortest form', () => {
    const writer = new ByteWriter()
    writer.u8(0x01)
    writer.u16(0x0203)
    writer.u32(0x04050607)
    writer.u64(0x08090a0b0c0d0e)
    writer.f64(1)
    expect(toHex(writer.take())).toBe(
      '01' + '0302' + '07060504' + '0e0d0c0b0a090800' + '000000000000f03f',
    )
    const cases: [number, string][] = [
      [0, '00'],
      [1, '01'],
      [127, '7f'],
      [128, '8001'],
      [300, 'ac02'],
      [2 ** 28 - 1, 'ffffff7f'],
      [2 ** 28, '8080808001'],
      [2 ** 31, '8080808008'],
      [2 ** 32, '8080808010'],
      [2 ** 35 - 1, 'ffffffff7f'],
      [Number.MAX_SAFE_INTEGER, 'ffffffffffffff0f'],
    ]
    for (const [value, expected] of cases) {
      writer.varint(value)
      expect(varintLength(value), String(value)).toBe(writer.length)
      expect(toHex(writer.take()), String(value)).toBe(expected)
    }
  })

  test('gives each power of two its shortest varint', () => {
    for (let power = 0; power <= 53; power++) {
      for (const value of [2 ** power - 1, 2 ** power, 2 ** power + 1]) {
        if (!Number.isSafeInteger(value)) continue
        const writer = new ByteWriter()
        writer.varint(value)
        expect(writer.length).toBe(Math.max(1, Math.ceil(value.toString(2).length / 7)))
        expect(writer.length).toBe(varintLength(value))
        expect(new ByteReader(writer.take(), 'varint').varint()).toBe(value)
      }
    }
  })

  test('refuses numbers out of range and writes nothing of them', () => {
    const writer = new ByteWriter()
    writer.u8(7)
    const bad = [-1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53]
    for (const value of [...bad, 0x100]) expect(invalid(() => writer.u8(value))).toBe(true)
    for (const value of [...bad, 0x10000]) expect(invalid(() => writer.u16(value))).toBe(true)
    for (const value of [...bad, 2 ** 32]) expect(invalid(() => writer.u32(value))).toBe(true)
    for (const value of bad) expect(invalid(() => writer.u64(value))).toBe(true)
    for (const value of bad) expect(invalid(() => writer.varint(value))).toBe(true)
    expect(writer.take()).toEqual(Uint8Array.of(7))
  })

  test('refuses text with a lone surrogate, at every length, and writes nothing of it', () => {
    const writer = new ByteWriter()
    writer.u8(7)
    for (const padding of ['', 'x', 'x'.repeat(20), 'é'.repeat(5000)]) {
      for (const bad of ['\ud800', '\udc00', '\udc00\ud800', '\ud800x']) {
        expect(
          invalid(() => writer.text(padding + bad)),
          `${padding.length}`,
        ).toBe(true)
        expect(invalid(() => writer.text(bad + padding))).toBe(true)
      }
    }
    expect(writer.take()).toEqual(Uint8Array.of(7))
  })

  test('writes text of every length, where the guess of its varint holds and where not', () => {
    for (const unit of ['a', 'é', '€', '😀']) {
      for (const count of [0, 1, 15, 16, 17, 31, 42, 43, 63, 64, 127, 128, 5000, 6000, 20_000]) {
        const text = unit.repeat(count)
        const writer = new ByteWriter(3)
        writer.text(text)
        writer.u8(0x55)
        const utf8 = utf8Encode(text)
        const reader = new ByteReader(writer.take(), 'text')
        expect(reader.prefixed()).toEqual(utf8)
        expect(reader.u8()).toBe(0x55)
        reader.expectEnd()
      }
    }
  })

  test('patches a u32 in place, only where something was written', () => {
    const writer = new ByteWriter()
    const at = writer.reserve(4)
    writer.u8(9)
    writer.setU32(at, 0xfffefdfc)
    expect(toHex(writer.view())).toBe('fcfdfeff09')
    for (const where of [2, 5, -1, Number.NaN]) {
      expect(invalid(() => writer.setU32(where, 1))).toBe(true)
    }
    expect(invalid(() => writer.setU32(0, -1))).toBe(true)
  })

  test('hands bytes over that later writes leave alone', () => {
    const writer = new ByteWriter(4)
    for (const round of [1, 2, 3]) {
      writer.u32(round)
      const full = writer.take()
      writer.u16(round)
      const part = writer.take()
      writer.u32(0xffffffff)
      writer.reset()
      expect(toHex(full)).toBe(`0${round}000000`)
      expect(toHex(part)).toBe(`0${round}00`)
    }
  })

  test('cuts back to a length it had', () => {
    const writer = new ByteWriter()
    writer.bytes(Uint8Array.of(1, 2, 3))
    expect(invalid(() => writer.truncate(4))).toBe(true)
    expect(invalid(() => writer.truncate(-1))).toBe(true)
    writer.truncate(1)
    writer.u8(9)
    expect(writer.take()).toEqual(Uint8Array.of(1, 9))
  })

  test('takes ranges as they are', () => {
    fc.assert(
      fc.property(fc.nat(300), fc.nat(300), fc.nat(300), (length, a, b) => {
        const bytes = Uint8Array.from({ length }, (_, i) => i)
        const start = Math.min(a, b, bytes.length)
        const end = Math.min(Math.max(a, b), bytes.length)
        const writer = new ByteWriter(1)
        writer.range(bytes, start, end)
        expect(writer.take()).toEqual(bytes.slice(start, end))
      }),
    )
  })
})
