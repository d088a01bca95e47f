import { describe, expect, test } from 'vitest'
import { expectCode, text } from './bytes.js'
import type { Bench } from './conformance.js'

export function deletingTests(bench: Bench): void {
  describe('deleting', () => {
    test('deletes an object, and is content where there is none', async () => {
      const key = `${bench.folder()}object`
      await bench.store.put(key, text('here'))
      await bench.store.delete(key)
      expect(await bench.store.head(key)).toBeUndefined()
      await expectCode(bench.store.get(key), 'FIRN_OBJECT_NOT_FOUND')
      await bench.store.delete(key)
      await bench.store.delete(`${bench.folder()}never/was`)
      await bench.store.delete([])
    })

    test('deletes what it is told and nothing beside', async () => {
      const folder = bench.folder()
      for (const name of ['a', 'a/b', 'a-b', 'A']) await bench.store.put(folder + name, text(name))
      await bench.store.delete(`${folder}a`)
      expect(await bench.store.head(`${folder}a`)).toBeUndefined()
      for (const name of ['a/b', 'a-b', 'A']) {
        expect(await bench.store.head(folder + name)).toBeDefined()
      }
    })

    test('deletes many objects with one call, missing and repeated ones among them', async () => {
      const folder = bench.folder()
      const keys = Array.from(
        { length: bench.options.manyObjects },
        (_, i) => `${folder}${i % 7}/${i}`,
      )
      for (let at = 0; at < keys.length; at += 50) {
        await Promise.all(keys.slice(at, at + 50).map((key) => bench.store.put(key, text(key))))
      }
      const kept = keys[3] ?? ''
      const gone = keys.filter((key) => key !== kept)
      await bench.store.delete([...gone, `${folder}missing`, gone[0] ?? ''])
      for (const key of [gone[0], gone.at(-1), gone[500]]) {
        if (key !== undefined) expect(await bench.store.head(key)).toBeUndefined()
      }
      expect(await bench.store.head(kept)).toBeDefined()
      if (!bench.options.lists) return
      for await (const { key } of bench.store.list({ prefix: folder })) expect(key).toBe(kept)
    })
  })
}
