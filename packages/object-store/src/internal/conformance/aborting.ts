import { describe, expect, test } from 'vitest'
import { collect, keysOf, noise, text } from './bytes.js'
import type { Bench } from './conformance.js'

export function abortingTests(bench: Bench): void {
  const reason = new Error('the caller changed its mind')

  async function expectReason(promise: Promise<unknown>): Promise<void> {
    const error = await promise.then(
      () => undefined,
      (caught: unknown) => caught,
    )
    expect(error).toBe(reason)
  }

  describe('42: aborting', () => {
    test('throws the reason of a signal that is aborted already, and does nothing', async () => {
      const folder = bench.folder()
      const key = `${folder}object`
      await bench.seed(key, text('content'))
      const signal = AbortSignal.abort(reason)
      await expectReason(bench.store.get(key, { signal }))
      await expectReason(bench.store.get(key, { signal, immutable: true }))
      await expectReason(bench.store.head(key, { signal }))
      if (bench.options.lists) {
        await expectReason(collect(bench.store.list({ signal, prefix: folder })))
      }
      if (!bench.options.writes) return
      await expectReason(bench.store.put(`${folder}new`, text('x'), { signal }))
      await expectReason(bench.store.delete(key, { signal }))
      await expectReason(bench.store.upload(`${folder}new`, { signal }))
      expect(await bench.store.head(key)).toBeDefined()
      expect(await bench.store.head(`${folder}new`)).toBeUndefined()
    })

    test('settles when aborted on the way, with the reason or the answer', async () => {
      const key = `${bench.folder()}object`
      await bench.seed(key, noise(200_000, 8))
      for (let i = 0; i < 20; i++) {
        const abort = new AbortController()
        const reading = bench.store.get(key, { signal: abort.signal })
        for (let turn = 0; turn < i % 5; turn++) await Promise.resolve()
        abort.abort(reason)
        const outcome = await reading.then(
          (object) => object.size,
          (error: unknown) => error,
        )
        expect([200_000, reason]).toContain(outcome)
      }
    })

    if (bench.options.lists) {
      test('ends a list that is aborted between two objects', async () => {
        const folder = bench.folder()
        for (const name of ['1', '2', '3']) await bench.seed(folder + name, text(name))
        const abort = new AbortController()
        const list = async () => {
          for await (const _ of bench.store.list({ prefix: folder, signal: abort.signal })) {
            abort.abort(reason)
          }
        }
        await expectReason(list())
      })
    }

    if (!bench.options.writes) return

    test('writes an object or none when a put is aborted on the way', async () => {
      const folder = bench.folder()
      const content = noise(50_000, 9)
      for (let i = 0; i < 20; i++) {
        const key = `${folder}${i}`
        const abort = new AbortController()
        const writing = bench.store.put(key, content, { signal: abort.signal })
        for (let turn = 0; turn < i; turn++) await Promise.resolve()
        abort.abort(reason)
        const outcome = await writing.then(
          () => undefined,
          (error: unknown) => error,
        )
        const head = await bench.store.head(key)
        if (outcome === undefined) expect(head?.size).toBe(50_000)
        else {
          expect(outcome).toBe(reason)
          if (head !== undefined) expect(head.size).toBe(50_000)
        }
      }
    })

    test('ends an upload whose signal is aborted, and leaves nothing', async () => {
      const folder = bench.folder()
      const abort = new AbortController()
      const upload = await bench.store.upload(`${folder}object`, { signal: abort.signal })
      await upload.write(noise(100_000, 10))
      abort.abort(reason)
      await expectReason(upload.write(text('more')))
      await expectReason(upload.finish())
      await upload.abort()
      expect(await bench.store.head(`${folder}object`)).toBeUndefined()
      if (bench.options.lists)
        expect(await keysOf(bench.store.list({ prefix: folder }))).toEqual([])
    })
  })
}
