export { type FileStatus, type FileSystem, nodeFileSystem } from './internal/fs/file-system.js'
export { FsObjectStore, type FsObjectStoreOptions } from './internal/fs/fs-object-store.js'
