export { FsObjectStore, type FsObjectStoreOptions } from './internal/fs/fs-object-store.js'
