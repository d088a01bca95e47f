export { absolutePath } from './absolute-path.js'
export type {
  DirectoryEntry,
  File,
  FileStatus,
  FileSystem,
  OpenMode,
  Processes,
  WriteOptions,
} from './file-system.js'
export { lenientSync } from './lenient-sync.js'
export { nodeFileSystem } from './node-file-system.js'
export {
  type AnnounceOptions,
  announce,
  type LifeSign,
  livenessOf,
  type Owner,
  parseOwner,
} from './owner.js'
export type { PinnedDirectory } from './pinned-directory.js'
export { isSameProcess, type Liveness, type ProcessIdentity } from './process-identity.js'
export { formatTag, type ProcessTag, parseTag, tagOf } from './process-tag.js'
export { ReadPace } from './read-pace.js'
export {
  cannotLink,
  cannotSyncDirectory,
  codeOf,
  isMissing,
  meaningOf,
  type SystemErrorMeaning,
  type SystemErrorReason,
} from './system-errors.js'
export { type FileSystemCall, WrappedFileSystem } from './wrapped-file-system.js'
export { LONGEST_WRITE_IN_PLACE, WritePace } from './write-pace.js'
