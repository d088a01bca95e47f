export { FileCommitLog, type FileCommitLogOptions } from './file-commit-log.js'
export {
  DirectoryLock,
  type DirectoryLockOptions,
  type LockInspection,
} from './internal/file/directory-lock.js'
