import { describe, expect, test } from 'vitest'
import {
  assertConditionalWrites,
  MemoryObjectStore,
  MeteredObjectStore,
  ObjectStoreError,
  type PutOptions,
} from '../src/index.js'

/** A store that sees other conditions than it is given, as one that ignores some does. */
class HeedlessStore extends MemoryObjectStore {
  readonly #heeded: (options: PutOptions) => PutOptions

  constructor(heeded: (options: PutOptions) => PutOptions) {
    super()
    this.#heeded = heeded
  }

  protected override _put(key: string, bytes: Uint8Array, options: PutOptions) {
    return super._put(key, bytes, this.#heeded(options))
  }
}

describe('assertConditionalWrites', () => {
  test('takes a store that keeps its word, with four puts and later two, and leaves one object', async () => {
    const store = new MeteredObjectStore(new MemoryObjectStore())
    await assertConditionalWrites(store)
    expect(store.reset()).toMatchObject({ requests: 4, kinds: { put: { requests: 4, errors: 2 } } })
    await assertConditionalWrites(store)
    expect(store.reset()).toMatchObject({ requests: 2, kinds: { put: { requests: 2, errors: 2 } } })
    await assertConditionalWrites(store, { key: 'other/probe', ifMatch: false })
    expect(store.reset()).toMatchObject({ requests: 2 })
    const keys: string[] = []
    for await (const { key } of store.list()) keys.push(key)
    expect(keys).toEqual(['conditional-writes', 'other/probe'])
  })

  test('takes a store that several open at once', async () => {
    const store = new MemoryObjectStore()
    await Promise.all(Array.from({ length: 20 }, () => assertConditionalWrites(store)))
  })

  test('28: refuses a store that ignores If-None-Match, each time', async () => {
    const store = new HeedlessStore(({ ifAbsent: _, ...rest }) => rest)
    for (let time = 0; time < 2; time++) {
      await expect(assertConditionalWrites(store)).rejects.toMatchObject({
        code: 'FIRN_UNSUPPORTED',
        retryable: false,
        message: expect.stringContaining('If-None-Match'),
      })
    }
  })

  test('refuses a store that ignores If-Match, each time, where that is needed', async () => {
    const store = new HeedlessStore(({ ifMatch: _, ...rest }) => rest)
    for (let time = 0; time < 2; time++) {
      await expect(assertConditionalWrites(store)).rejects.toMatchObject({
        code: 'FIRN_UNSUPPORTED',
        message: expect.stringContaining('If-Match'),
      })
    }
    await assertConditionalWrites(store, { ifMatch: false })
  })

  test('refuses a store that recognises no etag', async () => {
    const store = new HeedlessStore((options) =>
      options.ifMatch === undefined ? options : { ...options, ifMatch: `"${options.ifMatch}"` },
    )
    await expect(assertConditionalWrites(store)).rejects.toMatchObject({ code: 'FIRN_UNSUPPORTED' })
  })

  test('passes on what else goes wrong', async () => {
    const down = new ObjectStoreError('the store is down', { reason: 'unavailable' })
    class DownStore extends MemoryObjectStore {
      protected override _put(): Promise<{ etag: string }> {
        return Promise.reject(down)
      }
    }
    await expect(assertConditionalWrites(new DownStore())).rejects.toBe(down)
    const reason = new Error('enough')
    const signal = AbortSignal.abort(reason)
    await expect(assertConditionalWrites(new MemoryObjectStore(), { signal })).rejects.toBe(reason)
  })
})
