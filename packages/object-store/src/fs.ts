export {
  type DirectoryEntry,
  type FileStatus,
  type FileSystem,
  nodeFileSystem,
} from './internal/fs/file-system.js'
export { FsObjectStore, type FsObjectStoreOptions } from './internal/fs/fs-object-store.js'
export type { ProcessIdentity, ProcessLife } from './internal/fs/process-identity.js'
