import { CorruptionError } from '@firn/env'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ByteReader, ByteWriter, fromHex } from '../src/index.js'

const reader = (hex: string) => new ByteReader(fromHex(hex), 'the thing')

describe('ByteReader', () => {
  test('says what was damaged, how, and where', () => {
    const damaged = reader('00000005616263')
    damaged.u16()
    damaged.u8()
    expect(() => damaged.prefixed()).toThrow(
      new CorruptionError('the thing: needs 5 bytes, has 3, at offset 4'),
    )
  })

  test('turns every read past the end into corruption', () => {
    const reads: [string, (r: ByteReader) => unknown][] = [
      ['', (r) => r.u8()],
      ['01', (r) => r.u16()],
      ['010203', (r) => r.u32()],
      ['01020304050607', (r) => r.u64()],
      ['01020304050607', (r) => r.f64()],
      ['', (r) => r.varint()],
      ['80', (r) => r.varint()],
      ['ffffffffff', (r) => r.varint()],
      ['0102', (r) => r.take(3)],
      ['03ffff', (r) => r.prefixed()],
      ['03ffff', (r) => r.text()],
    ]
    for (const [hex, read] of reads) {
      expect(() => read(reader(hex)), hex).toThrow(CorruptionError)
    }
  })

  test('refuses counts that are no counts', () => {
    for (const count of [-1, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(() => reader('0102').take(count)).toThrow(CorruptionError)
    }
  })

  test('refuses integers that a number does not hold', () => {
    expect(reader('ffffffffffff1f00').u64()).toBe(Number.MAX_SAFE_INTEGER)
    expect(() => reader('0000000000002000').u64()).toThrow('above 2^53 - 1')
    expect(() => reader('ffffffffffffffff').u64()).toThrow('above 2^53 - 1')
    expect(reader('ffffffffffffff0f').varint()).toBe(Number.MAX_SAFE_INTEGER)
    expect(() => reader('8080808080808010').varint()).toThrow('above 2^53 - 1')
    expect(() => reader('ffffffffffffff7f').varint()).toThrow('above 2^53 - 1')
    expect(() => reader('808080808080808001').varint()).toThrow('above 2^53 - 1')
  })

  test('refuses a varint that is longer than it needs to be', () => {
    for (const hex of ['8000', '808000', 'ff00', '8080808080808000']) {
      expect(() => reader(hex).varint(), hex).toThrow('not in its shortest form')
    }
  })

  test('40: bounds lengths before it takes anything', () => {
    expect(() => reader('05aabbccddee').prefixed(4)).toThrow('a length of 5, above 4')
    expect(() => reader('ffffffffffffff0f').text(100)).toThrow(CorruptionError)
    expect(reader('02c3a9').text(2)).toBe('é')
  })

  test('refuses text that is not UTF-8', () => {
    for (const hex of ['01ff', '02c3', '02c080', '03eda080', '04f4908080']) {
      expect(() => reader(hex).text(), hex).toThrow(CorruptionError)
    }
  })

  test('keeps a byte-order mark and NULs as text', () => {
    const writer = new ByteWriter()
    writer.text('\ufeffa\0b')
    expect(new ByteReader(writer.take(), 'text').text()).toBe('\ufeffa\0b')
  })

  test('reads from views at any offset of their buffer', () => {
    const whole = fromHex('ffff000000000000f03fff')
    const r = new ByteReader(whole.subarray(2, 10), 'view')
    expect(r.f64()).toBe(1)
    expect(r.atEnd).toBe(true)
  })

  test('knows where it is', () => {
    const r = reader('010203')
    expect([r.offset, r.remaining, r.atEnd]).toEqual([0, 3, false])
    r.u16()
    expect([r.offset, r.remaining, r.atEnd]).toEqual([2, 1, false])
    expect(() => r.expectEnd()).toThrow('1 bytes too many')
    r.u8()
    r.expectEnd()
  })

  test('meets any bytes with a value or a CorruptionError', () => {
    const kinds = ['u8', 'u16', 'u32', 'u64', 'f64', 'varint', 'text', 'prefixed'] as const
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 24 }),
        fc.array(fc.constantFrom(...kinds), { maxLength: 8 }),
        (bytes, reads) => {
          const r = new ByteReader(bytes, 'fuzz')
          try {
            for (const kind of reads) r[kind]()
          } catch (error) {
            expect(error).toBeInstanceOf(CorruptionError)
          }
          expect(r.offset).toBeLessThanOrEqual(bytes.length)
        },
      ),
      { numRuns: 2000 },
    )
  })
})
