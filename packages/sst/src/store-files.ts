import type { ObjectStore, Upload } from '@firn/object-store'
import type { SstSource } from './source.js'

/** SSTs in an object store, as `SstReader.open` and `writeFiles` want them. */
export interface StoreFiles {
  openSource: (file: { id: string; bytes: number }) => SstSource
  upload: (id: string) => Promise<Upload>
  discard: (ids: readonly string[]) => Promise<void>
}

/** `keyOf` returns the key of a file's object. Each object is written once. */
export function storeFiles(
  store: ObjectStore,
  keyOf: (id: string) => string,
  options: { signal?: AbortSignal | undefined } = {},
): StoreFiles {
  const { signal } = options
  return {
    openSource: ({ id, bytes }) => objectSource(store, keyOf(id), bytes),
    upload: (id) => store.upload(keyOf(id), { ifAbsent: true, signal }),
    discard: (ids) => store.delete(ids.map(keyOf)),
  }
}

/** An object of known size that is never overwritten, as a reader of SSTs wants it. */
function objectSource(store: ObjectStore, key: string, size: number): SstSource {
  const read = (start: number, end: number, signal: AbortSignal | undefined) =>
    store.get(key, { range: { start, end }, immutable: true, signal })
  return {
    read: async (offset, length, options) =>
      (await read(offset, offset + length, options?.signal)).bytes,
    readTail: async (length, options) => {
      const tail = await read(Math.max(0, size - length), size, options?.signal)
      return { bytes: tail.bytes, size: tail.size }
    },
  }
}
