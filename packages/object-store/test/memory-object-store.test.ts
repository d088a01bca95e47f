import { expect, test } from 'vitest'
import { objectStoreConformance } from '../src/conformance.js'
import { MemoryObjectStore } from '../src/index.js'

objectStoreConformance('MemoryObjectStore', () => {
  const store = new MemoryObjectStore()
  return { store, another: () => store.share() }
})

test('shares objects between handles that close on their own', async () => {
  const store = new MemoryObjectStore()
  const other = store.share()
  await store.put('a', new Uint8Array([1]))
  await store.close()
  await store.close()
  expect((await other.get('a')).bytes).toEqual(new Uint8Array([1]))
  await expect(store.get('a')).rejects.toMatchObject({ code: 'FIRN_CLOSED' })
})
