export { BaseLeases, type LeaseRecord, type ReplaceOutcome } from './base-leases.js'
export { decodeCheckpoint, encodeCheckpoint } from './checkpoint-codec.js'
export { pruneCheckpoints, readNewestCheckpoint, writeCheckpoint } from './checkpoint-store.js'
export type * from './commit-log.js'
export { conflictOf } from './conflict.js'
export { decodeEdits, encodeEdits } from './edits.js'
export {
  AmbiguousAppendError,
  CommitUnknownError,
  DatabaseNotFoundError,
  LeaseLostError,
  LockedError,
  LogFailedError,
} from './errors.js'
export { applyEntry, emptyState, liveFiles } from './fold.js'
export { Hedge, type HedgedCall } from './hedge.js'
export { type AppendRequests, HedgedAppends } from './hedged-appends.js'
export { assertLimit, assertNewEntry, assertVersion } from './internal/entry-checks.js'
export { fileBaseVersion } from './invariants.js'
export type * from './leases.js'
export { entryAt, entryAtTime } from './lookup.js'
export {
  MemoryCommitLog,
  type MemoryCommitLogOptions,
  MemoryLogStorage,
} from './memory-commit-log.js'
export { MemoryLeaseStorage, MemoryLeases, type MemoryLeasesOptions } from './memory-leases.js'
export { ObjectCommitLog, type ObjectCommitLogOptions } from './object-commit-log.js'
export {
  begunKey,
  checkpointPrefix,
  leaseKey,
  logEntryKey,
  logPrefix,
  ROOT_KEY,
  spillPrefix,
  sstKey,
  sstPrefix,
  versionOfKey,
} from './object-keys.js'
export { ObjectLeases, type ObjectLeasesOptions } from './object-leases.js'
export { readUndamaged } from './read-undamaged.js'
export { type RecordVisitor, readRecords, readSomeRecords } from './records-reader.js'
export { RECORDS_WRITER_SLACK, RecordsWriter } from './records-writer.js'
export {
  decodeRoot,
  encodeRoot,
  type OpenRootOptions,
  openRoot,
  type Root,
  type StoredRoot,
} from './root.js'
export {
  appendSettled,
  type CommitResolution,
  resolveCommit,
  type SettleOptions,
} from './settle.js'
export { SpillingCommitLog, type SpillingCommitLogOptions } from './spilling-commit-log.js'
export type * from './state.js'
