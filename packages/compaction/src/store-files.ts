import { type FileMeta, sstKey } from '@firn/manifest'
import type { ObjectStore, Upload } from '@firn/object-store'
import type { SstSource } from '@firn/sst'

/** A database's SSTs in an object store, as `runCompaction`, `writeFiles` and readers want them. */
export interface StoreFiles {
  openSource: (file: Pick<FileMeta, 'id' | 'bytes'>) => SstSource
  upload: (id: string) => Promise<Upload>
  discard: (ids: readonly string[]) => Promise<void>
}

/** The SSTs of an incarnation: objects under their `sstKey`, each written once. */
export function storeFiles(
  store: ObjectStore,
  incarnation: string,
  options: { signal?: AbortSignal | undefined } = {},
): StoreFiles {
  const { signal } = options
  return {
    openSource: ({ id, bytes }) => objectSource(store, sstKey(incarnation, id), bytes),
    upload: (id) => store.upload(sstKey(incarnation, id), { ifAbsent: true, signal }),
    discard: (ids) => store.delete(ids.map((id) => sstKey(incarnation, id))),
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
