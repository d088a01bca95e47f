import { describe, expect, test } from 'vitest'
import type { ByteRange } from '../../object-store.js'
import { collect, expectCode, text } from './bytes.js'
import type { Bench } from './conformance.js'

const INVALID = 'FIRN_INVALID_ARGUMENT'

const WRONG_KEYS: readonly unknown[] = [
  '',
  '/',
  '/a',
  'a/',
  'a//b',
  '.',
  '..',
  '../a',
  'a/..',
  'a/../b',
  './a',
  'a/.',
  'a b',
  'a\\b',
  'a\0',
  'a\n',
  'a:b',
  'a%2e',
  '~a',
  'a,b',
  'a!b',
  'ä',
  '\ud800',
  'a'.repeat(1025),
  undefined,
  null,
  7,
  ['a'],
]

const WRONG_RANGES: readonly unknown[] = [
  { start: 1.5 },
  { start: Number.NaN },
  { start: Number.POSITIVE_INFINITY },
  { start: '1' },
  {},
  { start: 5, end: 4 },
  { start: 0, end: -1 },
  { start: 0, end: 0.5 },
]

export function validatingTests(bench: Bench): void {
  describe('checking arguments', () => {
    test('39: refuses what is no key, in every method', async () => {
      for (const wrong of WRONG_KEYS) {
        const key = wrong as string
        await expectCode(bench.store.get(key), INVALID)
        await expectCode(bench.store.get(key, { immutable: true }), INVALID)
        await expectCode(bench.store.head(key), INVALID)
        if (!bench.options.writes) continue
        await expectCode(bench.store.put(key, text('x')), INVALID)
        await expectCode(bench.store.upload(key), INVALID)
        await expectCode(bench.store.delete(['fine', key]), INVALID)
        if (!Array.isArray(wrong)) await expectCode(bench.store.delete(key), INVALID)
      }
    })

    test('refuses ranges that make no sense', async () => {
      const key = `${bench.folder()}object`
      await bench.seed(key, text('content'))
      for (const range of WRONG_RANGES) {
        await expectCode(bench.store.get(key, { range: range as ByteRange }), INVALID)
      }
    })

    if (bench.options.lists) {
      test('refuses prefixes and limits that make no sense', async () => {
        for (const prefix of ['../', 'a//', '/', './', 'a b', 'a\0', 'a'.repeat(1025)]) {
          await expectCode(collect(bench.store.list({ prefix })), INVALID)
          await expectCode(collect(bench.store.list({ startAfter: prefix })), INVALID)
        }
        for (const limit of [-1, 1.5, Number.NaN]) {
          await expectCode(collect(bench.store.list({ limit })), INVALID)
        }
      })
    }

    if (!bench.options.writes) return

    test('refuses contents that are no bytes, and conditions that contradict each other', async () => {
      const key = `${bench.folder()}object`
      await expectCode(bench.store.put(key, 'text' as unknown as Uint8Array), INVALID)
      const both = bench.store.put(key, text('x'), { ifAbsent: true, ifMatch: 'e' })
      await expectCode(both, INVALID)
      await expectCode(bench.store.put(key, text('x'), { ifMatch: '' }), INVALID)
      const upload = await bench.store.upload(key)
      await expectCode(upload.write([1] as unknown as Uint8Array), INVALID)
      await upload.abort()
      expect(await bench.store.head(key)).toBeUndefined()
    })

    test('takes keys of 1,024 bytes', async () => {
      const key = `${`${'k'.repeat(127)}/`.repeat(7)}${'k'.repeat(128)}`
      expect(key.length).toBe(1024)
      await bench.store.put(key, text('long'))
      expect((await bench.store.head(key))?.size).toBe(4)
      await bench.store.delete(key)
    })
  })
}
