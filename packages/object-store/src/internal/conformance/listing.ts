import { beforeAll, describe, expect, test } from 'vitest'
import { collect, keysOf, text } from './bytes.js'
import type { Bench } from './conformance.js'
import { ODD_KEYS } from './reading.js'

export function listingTests(bench: Bench): void {
  describe('listing', () => {
    let folder = ''
    let all: string[] = []
    beforeAll(async () => {
      folder = bench.folder()
      // '+', '-' and '.' sort before '/', digits and letters after it.
      const names = new Set([...ODD_KEYS, 'a/b-c', 'a-b/c', 'a0', 'a/', 'b/1', 'b/10', 'b/2', 'z'])
      names.delete('a/')
      all = [...names].map((name) => folder + name).sort()
      await Promise.all(all.map((key) => bench.seed(key, text(key))))
    }, bench.options.timeoutMs)

    test('lists keys in byte order, with size and etag', async () => {
      const infos = await collect(bench.store.list({ prefix: folder }))
      expect(infos.map((info) => info.key)).toEqual(all)
      for (const info of infos.slice(0, 10)) {
        expect(await bench.store.head(info.key)).toEqual(info)
      }
    })

    test('lists by any prefix, whole segments or not', async () => {
      for (const name of [
        'a',
        'a/',
        'a/b',
        'a-',
        'b/1',
        'FIRN',
        'firn/',
        '0',
        'nothing',
        'z',
        '.',
      ]) {
        const prefix = folder + name
        const expected = all.filter((key) => key.startsWith(prefix))
        expect(await keysOf(bench.store.list({ prefix })), name).toEqual(expected)
      }
      expect(await keysOf(bench.store.list({ prefix: `${folder}a/missing/deeper/` }))).toEqual([])
      expect(await keysOf(bench.store.list({ prefix: bench.folder() }))).toEqual([])
    })

    test('lists after any key, present or not', async () => {
      for (const after of [...all, `${folder}a/`, `${folder}a/b/`, `${folder}b`, `${folder}b/11`]) {
        const expected = all.filter((key) => key > after)
        const listed = await keysOf(bench.store.list({ prefix: folder, startAfter: after }))
        expect(listed, after).toEqual(expected)
      }
      const before = await keysOf(bench.store.list({ prefix: folder, startAfter: '-' }))
      expect(before).toEqual(all)
      const beyond = await keysOf(bench.store.list({ prefix: folder, startAfter: `${folder}zz` }))
      expect(beyond).toEqual([])
    })

    test('lists as many as the limit says, and pages by startAfter', async () => {
      expect(await keysOf(bench.store.list({ prefix: folder, limit: 0 }))).toEqual([])
      expect(await keysOf(bench.store.list({ prefix: folder, limit: 1 }))).toEqual(all.slice(0, 1))
      expect(await keysOf(bench.store.list({ prefix: folder, limit: 9999 }))).toEqual(all)
      const paged: string[] = []
      for (;;) {
        const startAfter = paged.at(-1)
        const page = await keysOf(bench.store.list({ prefix: folder, startAfter, limit: 4 }))
        paged.push(...page)
        if (page.length < 4) break
      }
      expect(paged).toEqual(all)
    })

    test('can be left early and begun again', async () => {
      for await (const info of bench.store.list({ prefix: folder })) {
        expect(info.key).toBe(all[0])
        break
      }
      expect(await keysOf(bench.store.list({ prefix: folder, limit: 2 }))).toEqual(all.slice(0, 2))
    })

    test('lists without arguments', async () => {
      expect(await keysOf(bench.store.list())).toEqual(expect.arrayContaining(all))
    })

    if (!bench.options.writes) return

    test('lists what exists now, while objects come and go', async () => {
      const here = bench.folder()
      for (let i = 0; i < 10; i++) await bench.store.put(`${here}${i}`, text('x'))
      expect((await keysOf(bench.store.list({ prefix: here }))).length).toBe(10)
      await bench.store.delete([`${here}3`, `${here}7`])
      await bench.store.put(`${here}30`, text('x'))
      const expected = ['0', '1', '2', '30', '4', '5', '6', '8', '9'].map((name) => here + name)
      expect(await keysOf(bench.store.list({ prefix: here }))).toEqual(expected)
      const listed: string[] = []
      for await (const { key } of bench.store.list({ prefix: here })) {
        listed.push(key)
        await bench.store.delete(key)
      }
      expect(listed).toEqual(expected)
      expect(await keysOf(bench.store.list({ prefix: here }))).toEqual([])
    })
  })
}
