import { expect, test } from 'vitest'
import { objectStoreConformance } from '../src/conformance.js'
import { MemoryObjectStore, MeteredObjectStore } from '../src/index.js'

objectStoreConformance('MeteredObjectStore', () => {
  const memory = new MemoryObjectStore()
  return {
    store: new MeteredObjectStore(memory),
    another: () => new MeteredObjectStore(memory.share()),
  }
})

test('counts requests, errors and bytes by kind', async () => {
  const store = new MeteredObjectStore(new MemoryObjectStore())
  await store.put('a', new Uint8Array(10))
  await store.put('a', new Uint8Array(5), { ifAbsent: true }).catch(() => {})
  await store.get('a', { range: { start: 8 } })
  await store.get('b').catch(() => {})
  await store.head('a')
  const upload = await store.upload('c')
  await upload.write(new Uint8Array(7))
  await upload.finish()
  for await (const _ of store.list());
  await store.delete(['a', 'b'])

  const none = { requests: 0, errors: 0 }
  const one = { requests: 1, errors: 0 }
  const expected = {
    kinds: {
      get: { requests: 2, errors: 1 },
      head: one,
      put: { requests: 2, errors: 1 },
      delete: one,
      list: one,
      uploadStart: one,
      uploadWrite: one,
      uploadFinish: one,
      uploadAbort: none,
    },
    requests: 10,
    errors: 2,
    bytesRead: 2,
    bytesWritten: 22,
    keysDeleted: 2,
  }
  expect(store.snapshot()).toEqual(expected)
  expect(store.reset()).toEqual(expected)
  expect(store.snapshot()).toMatchObject({ requests: 0, errors: 0, bytesRead: 0, bytesWritten: 0 })
})

test('counts a list once per thousand objects', async () => {
  const store = new MeteredObjectStore(new MemoryObjectStore())
  for (let i = 0; i < 2001; i++) await store.put(`k${i}`, new Uint8Array(0))
  store.reset()
  for await (const _ of store.list());
  expect(store.snapshot().kinds.list.requests).toBe(3)
})
