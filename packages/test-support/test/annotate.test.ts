import { expect, test } from 'vitest'
import { annotate, annotatedBytes } from '../src/index.js'

test('bytes are drawn field by field, long ones folded, and read back', () => {
  const bytes = Uint8Array.from({ length: 40 }, (_, i) => i)
  const text = annotate(bytes, [
    ['magic', 2],
    ['nothing', 0],
    ['body', 35],
  ])
  expect(text.split('\n')).toEqual([
    'magic             0001',
    'body              02030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f2021',
    '                  222324',
    'rest              252627',
    '',
  ])
  expect(annotatedBytes(text)).toEqual(bytes)
})
