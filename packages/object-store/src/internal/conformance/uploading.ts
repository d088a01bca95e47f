import { describe, expect, test } from 'vitest'
import { expectBytes, expectCode, keysOf, noise, text } from './bytes.js'
import type { Bench } from './conformance.js'

export function uploadingTests(bench: Bench): void {
  describe('uploading', () => {
    test('shows an object whole at finish, and nothing before', async () => {
      const folder = bench.folder()
      const key = `${folder}object`
      const upload = await bench.store.upload(key)
      await upload.write(text('one '))
      await upload.write(new Uint8Array(0))
      await upload.write(text('two'))
      expect(await bench.store.head(key)).toBeUndefined()
      if (bench.options.lists)
        expect(await keysOf(bench.store.list({ prefix: folder }))).toEqual([])
      const { etag, size } = await upload.finish()
      expect(size).toBe(7)
      expect(await bench.store.head(key)).toEqual({ key, size: 7, etag })
      expectBytes((await bench.store.get(key)).bytes, text('one two'))
      await upload.abort()
      expectBytes((await bench.store.get(key)).bytes, text('one two'))
    })

    test('uploads nothing, and much, in pieces of any size', async () => {
      const folder = bench.folder()
      const empty = await bench.store.upload(`${folder}empty`)
      expect((await empty.finish()).size).toBe(0)
      expect((await bench.store.get(`${folder}empty`)).bytes.length).toBe(0)

      const bytes = noise(9 * 1024 * 1024 + 1, 6)
      const upload = await bench.store.upload(`${folder}large`)
      for (let at = 0, piece = 1; at < bytes.length; at += piece, piece = piece * 3 + 1) {
        await upload.write(bytes.subarray(at, at + piece))
      }
      expect((await upload.finish()).size).toBe(bytes.length)
      expectBytes((await bench.store.get(`${folder}large`)).bytes, bytes)
    })

    test('keeps the order of writes that were not awaited, and bytes that are used again', async () => {
      const key = `${bench.folder()}object`
      const upload = await bench.store.upload(key)
      const pieces = Array.from({ length: 20 }, (_, i) => noise(1000 + i, i))
      const writes = pieces.map((piece) => upload.write(piece))
      const { size } = await upload.finish()
      await Promise.all(writes)
      expect(size).toBe(pieces.reduce((sum, piece) => sum + piece.length, 0))
      const { bytes } = await bench.store.get(key)
      expectBytes(bytes.subarray(0, 1000), noise(1000, 0))
      expectBytes(bytes.subarray(size - 1019), noise(1019, 19))

      const scratch = new Uint8Array(10)
      const again = await bench.store.upload(key)
      for (let i = 0; i < 3; i++) {
        scratch.fill(i)
        await again.write(scratch)
      }
      scratch.fill(9)
      await again.finish()
      expect([...(await bench.store.get(key)).bytes].filter((_, i) => i % 10 === 5)).toEqual([
        0, 1, 2,
      ])
    })

    test('replaces an object at finish, and not before', async () => {
      const key = `${bench.folder()}object`
      const first = await bench.store.put(key, text('old'))
      const upload = await bench.store.upload(key)
      await upload.write(text('new'))
      expectBytes((await bench.store.get(key)).bytes, text('old'))
      const { etag } = await upload.finish()
      expect(etag).not.toBe(first.etag)
      expectBytes((await bench.store.get(key)).bytes, text('new'))
    })

    test('leaves nothing after abort', async () => {
      const folder = bench.folder()
      const upload = await bench.store.upload(`${folder}object`)
      await upload.write(noise(100_000, 7))
      await upload.abort()
      await upload.abort()
      await expectCode(upload.write(text('more')), 'FIRN_CLOSED')
      await expectCode(upload.finish(), 'FIRN_CLOSED')
      expect(await bench.store.head(`${folder}object`)).toBeUndefined()
    })

    test('finishes once', async () => {
      const upload = await bench.store.upload(`${bench.folder()}object`)
      await upload.write(text('x'))
      const [a, b] = await Promise.all([upload.finish(), upload.finish()])
      expect(a).toEqual(b)
      await expectCode(upload.write(text('y')), 'FIRN_CLOSED')
    })

    test('lets the last of two uploads of one key win', async () => {
      const key = `${bench.folder()}object`
      const [a, b] = [await bench.store.upload(key), await bench.store.upload(key)]
      await a.write(text('from a'))
      await b.write(text('from b'))
      await b.finish()
      await a.finish()
      expectBytes((await bench.store.get(key)).bytes, text('from a'))
    })

    if (!bench.options.uploadIfAbsent) return

    test('creates only where there is nothing at finish', async () => {
      const key = `${bench.folder()}object`
      const [a, b] = [
        await bench.store.upload(key, { ifAbsent: true }),
        await bench.store.upload(key, { ifAbsent: true }),
      ]
      await a.write(text('from a'))
      await b.write(text('from b'))
      await b.finish()
      await expectCode(a.finish(), 'FIRN_PRECONDITION_FAILED')
      await a.abort()
      expectBytes((await bench.store.get(key)).bytes, text('from b'))
    })
  })
}
