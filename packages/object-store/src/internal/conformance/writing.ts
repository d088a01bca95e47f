import { describe, expect, test } from 'vitest'
import { expectBytes, expectCode, noise, text } from './bytes.js'
import type { Bench } from './conformance.js'

export function writingTests(bench: Bench): void {
  describe('writing', () => {
    test('puts an object, and replaces it', async () => {
      const key = `${bench.folder()}object`
      const first = await bench.store.put(key, text('first'))
      expect(await bench.store.head(key)).toEqual({ key, size: 5, etag: first.etag })
      const second = await bench.store.put(key, text('the second'))
      expect(second.etag).not.toBe(first.etag)
      const object = await bench.store.get(key)
      expectBytes(object.bytes, text('the second'))
      expect(object.etag).toBe(second.etag)
    })

    test('puts objects of no bytes and of nine mebibytes', async () => {
      const folder = bench.folder()
      await bench.store.put(`${folder}empty`, new Uint8Array(0))
      expect((await bench.store.get(`${folder}empty`)).bytes.length).toBe(0)
      const large = noise(9 * 1024 * 1024, 3)
      await bench.store.put(`${folder}large`, large)
      expectBytes((await bench.store.get(`${folder}large`)).bytes, large)
    })

    test('leaves the bytes of a put to its caller again', async () => {
      const key = `${bench.folder()}object`
      const bytes = text('written')
      await bench.store.put(key, bytes)
      bytes.fill(0)
      expectBytes((await bench.store.get(key)).bytes, text('written'))
    })

    test('puts the part of a buffer that a view shows', async () => {
      const key = `${bench.folder()}object`
      await bench.store.put(key, text('--view--').subarray(2, 6))
      expectBytes((await bench.store.get(key)).bytes, text('view'))
    })

    test('gives each content another etag, also of the same size and at the same moment', async () => {
      const key = `${bench.folder()}object`
      const etags = new Set<string>()
      for (let i = 0; i < 50; i++) {
        etags.add((await bench.store.put(key, text(`content ${100 + i}`))).etag)
        if (i % 5 === 4) await bench.store.delete(key)
      }
      expect(etags.size).toBe(50)
    })

    test('reads what was written last, with handles kept by readers of immutable objects', async () => {
      const folder = bench.folder()
      for (let i = 0; i < 5; i++) {
        const key = `${folder}${i}`
        await bench.store.put(key, text(`object ${i}`))
        await bench.store.get(key, { immutable: true })
        await bench.store.delete(key)
        await expectCode(bench.store.get(key, { immutable: true }), 'FIRN_OBJECT_NOT_FOUND')
      }
    })

    test('shows readers one content or the other while objects are replaced', async () => {
      const key = `${bench.folder()}object`
      const contents = [noise(100_000, 4), noise(70_000, 5)]
      await bench.store.put(key, noise(100_000, 4))
      let writing = true
      const write = async () => {
        for (let i = 0; i < 20; i++) await bench.store.put(key, contents[i % 2] ?? text(''))
        writing = false
      }
      const read = async () => {
        do {
          const object = await bench.store.get(key)
          const is = object.size === 100_000 ? contents[0] : contents[1]
          expectBytes(object.bytes, is ?? text(''))
        } while (writing)
      }
      await Promise.all([write(), read(), read()])
    })

    if (bench.options.ifAbsent) {
      test('creates only where there is nothing', async () => {
        const key = `${bench.folder()}object`
        const { etag } = await bench.store.put(key, text('first'), { ifAbsent: true })
        const again = bench.store.put(key, text('second'), { ifAbsent: true })
        await expectCode(again, 'FIRN_PRECONDITION_FAILED')
        const object = await bench.store.get(key)
        expectBytes(object.bytes, text('first'))
        expect(object.etag).toBe(etag)
        await bench.store.delete(key)
        await bench.store.put(key, text('third'), { ifAbsent: true })
        expectBytes((await bench.store.get(key)).bytes, text('third'))
      })
    }

    if (bench.options.ifMatch) {
      test('replaces only the content that ifMatch names', async () => {
        const key = `${bench.folder()}object`
        const first = await bench.store.put(key, text('first'))
        const second = await bench.store.put(key, text('other'), { ifMatch: first.etag })
        expect(second.etag).not.toBe(first.etag)
        const stale = bench.store.put(key, text('third'), { ifMatch: first.etag })
        await expectCode(stale, 'FIRN_PRECONDITION_FAILED')
        expectBytes((await bench.store.get(key)).bytes, text('other'))
        const head = await bench.store.head(key)
        await bench.store.put(key, text('fourth'), { ifMatch: head?.etag })
        expectBytes((await bench.store.get(key)).bytes, text('fourth'))
      })

      test('replaces nothing where there is nothing', async () => {
        const key = `${bench.folder()}object`
        const { etag } = await bench.store.put(key, text('first'))
        await bench.store.delete(key)
        const put = bench.store.put(key, text('second'), { ifMatch: etag })
        await expectCode(put, 'FIRN_PRECONDITION_FAILED')
        expect(await bench.store.head(key)).toBeUndefined()
      })
    }
  })
}
