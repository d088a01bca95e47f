import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  InvalidArgumentError,
  isUlid,
  systemEnv,
  ULID_BYTES,
  ulid,
  ulidBytes,
  ulidFromBytes,
  ulidToBytes,
} from '../src/index.js'
import { TestEnv } from '../src/testing.js'

const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'

/** The text of a ULID by way of one large integer. */
function slowText(bytes: Uint8Array): string {
  let value = 0n
  for (const byte of bytes) value = value * 256n + BigInt(byte)
  let text = ''
  for (let i = 0; i < 26; i++, value /= 32n) text = ALPHABET.charAt(Number(value % 32n)) + text
  return text
}

const sixteen = () => fc.uint8Array({ minLength: ULID_BYTES, maxLength: ULID_BYTES })

describe('ulid', () => {
  test('is written as the spec says, and read back', () => {
    fc.assert(
      fc.property(sixteen(), (bytes) => {
        const text = ulidFromBytes(bytes)
        expect(text).toBe(slowText(bytes))
        expect(isUlid(text)).toBe(true)
        expect(ulidToBytes(text)).toEqual(bytes)
      }),
      { numRuns: 1000 },
    )
    expect(ulidFromBytes(new Uint8Array(16))).toBe('0'.repeat(26))
    expect(ulidFromBytes(new Uint8Array(16).fill(255))).toBe(`7${'Z'.repeat(25)}`)
  })

  test('has the time of the example in the spec', () => {
    const env = new TestEnv({ now: 1_469_922_850_259_000 })
    expect(ulid(env).slice(0, 10)).toBe('01ARZ3NDEK')
  })

  test('has text and bytes that order alike', () => {
    fc.assert(
      fc.property(sixteen(), sixteen(), (a, b) => {
        const [x, y] = [ulidFromBytes(a), ulidFromBytes(b)]
        expect(x < y ? -1 : x > y ? 1 : 0).toBe(Buffer.compare(a, b))
      }),
    )
  })

  test('sorts by time, to the millisecond', () => {
    const env = new TestEnv()
    let before = ulid(env)
    for (let i = 0; i < 100; i++) {
      env.advance(1)
      const after = ulid(env)
      expect(after > before).toBe(true)
      before = after
    }
  })

  test('is the same again under the same seed, another one under another', () => {
    expect(ulid(new TestEnv({ seed: 5 }))).toBe(ulid(new TestEnv({ seed: 5 })))
    expect(ulid(new TestEnv({ seed: 5 }))).not.toBe(ulid(new TestEnv({ seed: 6 })))
    expect(ulidToBytes(ulid(new TestEnv({ seed: 5 })))).toEqual(ulidBytes(new TestEnv({ seed: 5 })))
  })

  test('is fresh each time, past the size of the pool of random bytes', () => {
    const seen = new Set<string>()
    for (let i = 0; i < 5000; i++) seen.add(ulid(systemEnv).slice(10))
    expect(seen.size).toBe(5000)
  })

  test('stays a ULID under a clock that is far off', () => {
    for (const now of [-1, -(2 ** 53), 0, 2 ** 53, Number.MAX_VALUE]) {
      expect(isUlid(ulid(new TestEnv({ now })))).toBe(true)
    }
    expect(ulid(new TestEnv({ now: -5_000_000 })).slice(0, 10)).toBe('0000000000')
    expect(ulid(new TestEnv({ now: Number.MAX_VALUE })).slice(0, 10)).toBe('7ZZZZZZZZZ')
  })

  test('is nothing else', () => {
    const good = '01ARZ3NDEKTSV4RRFFQ69G5FAV'
    expect(isUlid(good)).toBe(true)
    for (const bad of [
      '',
      good.toLowerCase(),
      good.slice(1),
      `${good}0`,
      `${good}\n`,
      `8${good.slice(1)}`,
      ...['I', 'L', 'O', 'U', '-', 'é'].map((c) => good.slice(0, 25) + c),
    ]) {
      expect(isUlid(bad), JSON.stringify(bad)).toBe(false)
      expect(() => ulidToBytes(bad)).toThrow(InvalidArgumentError)
    }
    for (const length of [0, 15, 17]) {
      expect(() => ulidFromBytes(new Uint8Array(length))).toThrow(InvalidArgumentError)
    }
  })
})
