export { decodeCheckpoint, encodeCheckpoint } from './checkpoint-codec.js'
export { pruneCheckpoints, readNewestCheckpoint, writeCheckpoint } from './checkpoint-store.js'
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
export { entryAt, entryAtTime } from './lookup.js'
export {
  MemoryCommitLog,
  type MemoryCommitLogOptions,
  MemoryLogStorage,
} from './memory-commit-log.js'
export { ObjectCommitLog, type ObjectCommitLogOptions } from './object-commit-log.js'
export {
  checkpointPrefix,
  logEntryKey,
  logPrefix,
  ROOT_KEY,
  spillPrefix,
  sstKey,
} from './object-keys.js'
export { type RecordVisitor, readRecords } from './records-reader.js'
export { RECORDS_WRITER_SLACK, RecordsWriter } from './records-writer.js'
export { decodeRoot, encodeRoot, type OpenRootOptions, openRoot, type Root } from './root.js'
export {
  appendSettled,
  type CommitResolution,
  resolveCommit,
  type SettleOptions,
} from './settle.js'
export { SpillingCommitLog, type SpillingCommitLogOptions } from './spilling-commit-log.js'
export type * from './state.js'
