export { BaseLeases, type LeaseRecord, type ReplaceOutcome } from './base-leases.js'
export type * from './commit-log.js'
export {
  AmbiguousAppendError,
  CommitUnknownError,
  LeaseLostError,
  LockedError,
  LogFailedError,
} from './errors.js'
export { Hedge, type HedgedCall } from './hedge.js'
export { type AppendRequests, HedgedAppends } from './hedged-appends.js'
export { assertLimit, assertNewEntry, assertVersion } from './internal/entry-checks.js'
export type * from './leases.js'
export { entryAt, entryAtTime } from './lookup.js'
export {
  MemoryCommitLog,
  type MemoryCommitLogOptions,
  MemoryLogStorage,
} from './memory-commit-log.js'
export { MemoryLeaseStorage, MemoryLeases, type MemoryLeasesOptions } from './memory-leases.js'
export { ObjectCommitLog, type ObjectCommitLogOptions } from './object-commit-log.js'
export { leaseKey, logEntryKey, logPrefix, spillPrefix, versionOfKey } from './object-keys.js'
export { ObjectLeases, type ObjectLeasesOptions } from './object-leases.js'
export {
  appendSettled,
  type CommitResolution,
  resolveCommit,
  type SettleOptions,
} from './settle.js'
export {
  SPILLED_PAYLOAD_FORMAT,
  SpillingCommitLog,
  type SpillingCommitLogOptions,
} from './spilling-commit-log.js'
