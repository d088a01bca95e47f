import { InvalidArgumentError } from '@firn/env'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  fromBase64,
  fromHex,
  parsePrintable,
  printable,
  toBase64,
  toHex,
  utf8Decode,
  utf8Encode,
} from '../src/index.js'

describe('UTF-8', () => {
  test('encodes as TextEncoder and decodes back', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 40 }),
      // On both sides of the length from which text is encoded in one piece.
      fc
        .tuple(
          fc.string({ unit: 'binary', minLength: 1, maxLength: 9 }),
          fc.integer({ min: 100, max: 300 }),
        )
        .map(([unit, count]) => unit.repeat(count)),
      fc.string({ maxLength: 40 }),
    )
    fc.assert(
      fc.property(text, (value) => {
        const bytes = utf8Encode(value)
        expect(bytes).toEqual(new TextEncoder().encode(value))
        expect(utf8Decode(bytes)).toBe(value)
      }),
      { numRuns: 150 },
    )
  })

  test('gives bytes that are not shared with the next call', () => {
    const first = utf8Encode('first')
    utf8Encode('xxxxx')
    expect(utf8Decode(first)).toBe('first')
  })

  test('38: refuses lone surrogates', () => {
    for (const padding of ['', 'x'.repeat(30), 'x'.repeat(2000)]) {
      for (const bad of ['\ud800', '\udfff', 'a\ud800b', '\ud800\ud800\udc00']) {
        expect(() => utf8Encode(padding + bad)).toThrow(InvalidArgumentError)
        expect(() => utf8Encode(bad + padding)).toThrow(InvalidArgumentError)
      }
    }
    expect(() => utf8Encode(`${'x'.repeat(30)}\udc00`)).toThrow('index 30')
  })

  test('refuses bytes that are not well-formed, and does not show them', () => {
    for (const hex of ['ff', 'c080', 'eda080', 'f4908080', '61c3', `${'61'.repeat(40)}80`]) {
      expect(() => utf8Decode(fromHex(hex)), hex).toThrow(InvalidArgumentError)
    }
  })
})

describe('hexadecimal', () => {
  test('round-trips, and reads either case', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        expect(toHex(bytes)).toBe(Buffer.from(bytes).toString('hex'))
        expect(fromHex(toHex(bytes))).toEqual(bytes)
        expect(fromHex(toHex(bytes).toUpperCase())).toEqual(bytes)
      }),
    )
  })

  test('refuses everything else', () => {
    for (const text of ['0', '0g', 'zz', '0x', ' 00', '0\u0660', '@@', '``']) {
      expect(() => fromHex(text), text).toThrow(InvalidArgumentError)
    }
  })
})

describe('Base64', () => {
  test('round-trips, padded, bare and URL-safe', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        const text = toBase64(bytes)
        expect(text).toBe(Buffer.from(bytes).toString('base64'))
        expect(fromBase64(text)).toEqual(bytes)
        expect(fromBase64(Buffer.from(bytes).toString('base64url'))).toEqual(bytes)
      }),
      { numRuns: 500 },
    )
  })

  test('refuses what no encoder makes', () => {
    for (const text of [
      'A',
      'AAAAA',
      '=',
      '====',
      'AA=',
      'AB==',
      'AAB=',
      'A*==',
      'AA==AA==',
      'é=',
    ]) {
      expect(() => fromBase64(text), text).toThrow(InvalidArgumentError)
    }
  })
})

describe('printable', () => {
  test('shows as text exactly what a decoder takes for it', () => {
    const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
    const decoded = (bytes: Uint8Array): string | undefined => {
      try {
        return decoder.decode(bytes)
      } catch {
        return undefined
      }
    }
    const borders = [0x41, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0]
    for (let first = 0x80; first <= 0xff; first++) {
      for (const second of borders) {
        for (const rest of [[], [0x80], [0xbf, 0xbf], [0x85, 0xc0], [0x8f, 0x8f, 0x80]]) {
          const bytes = Uint8Array.of(first, second, ...rest)
          const text = decoded(bytes)
          if (text === undefined) expect(printable(bytes)).toContain('\\x')
          else if (!/[\p{Cc}\p{Cf}]/u.test(text)) expect(printable(bytes)).toBe(text)
          expect(parsePrintable(printable(bytes))).toEqual(bytes)
        }
      }
    }
  })

  test('shows what can be shown', () => {
    expect(printable(utf8Encode('user:é😀 1'))).toBe('user:é😀 1')
    expect(printable(Uint8Array.of(0x61, 0, 0xff, 0x0a, 0x5c, 0x7f))).toBe(
      'a\\x00\\xff\\x0a\\\\\\x7f',
    )
    expect(printable(fromHex('c3'))).toBe('\\xc3')
    expect(printable(fromHex('eda080'))).toBe('\\xed\\xa0\\x80')
  })

  test('lets nothing through that a terminal would act on', () => {
    for (const text of ['\u001b[31m', '\u009b31m', '\u202e', '\u2028', '\ufeff', '\u2066']) {
      expect(printable(utf8Encode(text))).toMatch(/^\\x/)
    }
    expect(printable(utf8Encode('👩\u200d💻'))).toBe('👩\u200d💻')
  })

  test('round-trips any bytes', () => {
    const bytes = fc.oneof(
      fc.uint8Array(),
      fc.string({ unit: 'binary' }).map((text) => new TextEncoder().encode(text)),
      fc.string({ unit: fc.constantFrom('\\', 'x', '0', 'f', 'é') }).map((t) => utf8Encode(t)),
    )
    fc.assert(
      fc.property(bytes, (value) => {
        expect(parsePrintable(printable(value))).toEqual(value)
      }),
      { numRuns: 1000 },
    )
  })

  test('refuses escapes that it does not write', () => {
    for (const text of ['\\', '\\n', '\\x', '\\x0', '\\xg0', '\\X00', 'a\\', '\ud800']) {
      expect(() => parsePrintable(text), JSON.stringify(text)).toThrow(InvalidArgumentError)
    }
    expect(parsePrintable('\\xAb')).toEqual(Uint8Array.of(0xab))
  })
})
