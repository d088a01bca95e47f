import { expect, test } from 'vitest'
import { concatBytes } from '../src/index.js'

test('joins bytes in their order, in an array of its own', () => {
  const one = Uint8Array.of(1, 2)
  const joined = concatBytes([one, new Uint8Array(0), Uint8Array.of(3)])
  expect(joined).toEqual(Uint8Array.of(1, 2, 3))
  expect(concatBytes([])).toEqual(new Uint8Array(0))
  const copy = concatBytes([one])
  one[0] = 9
  expect(copy).toEqual(Uint8Array.of(1, 2))
})
