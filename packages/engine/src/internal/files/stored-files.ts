import { sstKey } from '@firn/manifest'
import type { ObjectStore } from '@firn/object-store'
import { type StoreFiles, storeFiles } from '@firn/sst/store'

/** Returns what reads and writes the files of one database. */
export function storedFiles(
  store: ObjectStore,
  incarnation: string,
  signal?: AbortSignal,
): StoreFiles {
  return storeFiles(store, (id) => sstKey(incarnation, id), { signal })
}
