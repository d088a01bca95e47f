export type * from './commit-log.js'
export { conflictOf } from './conflict.js'
export { decodeEdits, encodeEdits } from './edits.js'
export {
  AmbiguousAppendError,
  CommitUnknownError,
  DatabaseNotFoundError,
  LockedError,
  LogFailedError,
} from './errors.js'
export { applyEntry, emptyState, liveFiles } from './fold.js'
export { fileBaseVersion } from './invariants.js'
export {
  MemoryCommitLog,
  type MemoryCommitLogOptions,
  MemoryLogStorage,
} from './memory-commit-log.js'
export { type RecordVisitor, readRecords } from './records-reader.js'
export { RecordsWriter } from './records-writer.js'
export type * from './state.js'
