import { expect, test } from 'vitest'
import { ByteReader, copyBytes } from '../src/index.js'

test('a copy shares nothing with its source, a Buffer or not', () => {
  for (const source of [Uint8Array.of(1, 2, 3, 4), Buffer.from([1, 2, 3, 4])]) {
    const whole = copyBytes(source)
    const part = copyBytes(source, 1, 3)
    source.fill(9)
    expect([...whole]).toEqual([1, 2, 3, 4])
    expect([...part]).toEqual([2, 3])
    for (const copy of [whole, part]) {
      expect(copy.buffer.byteLength).toBe(copy.length)
      expect(Object.getPrototypeOf(copy)).toBe(Uint8Array.prototype)
    }
  }
})

test('what is copied of what a reader returns stays as it was, when it reads a Buffer', () => {
  const buffer = Buffer.from([3, 1, 2, 3])
  const copy = new ByteReader(buffer, 'test').prefixed().slice()
  buffer.fill(9)
  expect([...copy]).toEqual([1, 2, 3])
})
