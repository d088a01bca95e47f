import type { FileMeta } from '@firn/manifest'
import type { ObjectStore, Upload } from '@firn/object-store'
import type { SstSource } from '@firn/sst'

/** A database's SSTs in an object store, as `runCompaction` and `writeFiles` want them. */
export interface StoreFiles {
  openSource: (file: FileMeta) => SstSource
  upload: (id: string) => Promise<Upload>
  discard: (ids: readonly string[]) => Promise<void>
}

/** The SSTs of an incarnation: objects `sst/<incarnation>/<id>.sst`, each written once. */
export function storeFiles(
  store: ObjectStore,
  incarnation: string,
  options: { signal?: AbortSignal } = {},
): StoreFiles {
  const { signal } = options
  const keyOf = (id: string) => `sst/${incarnation}/${id}.sst`
  const read = (id: string, start: number, end: number) =>
    store.get(keyOf(id), { range: { start, end }, immutable: true })
  return {
    openSource: ({ id, bytes }) => ({
      read: async (offset, length) => (await read(id, offset, offset + length)).bytes,
      readTail: async (length) => {
        const tail = await read(id, Math.max(0, bytes - length), bytes)
        return { bytes: tail.bytes, size: tail.size }
      },
    }),
    upload: (id) => store.upload(keyOf(id), { ifAbsent: true, signal }),
    discard: (ids) => store.delete(ids.map(keyOf)),
  }
}
