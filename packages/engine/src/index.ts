export { CommitUnknownError, LockedError } from '@firn/commit-log'
export {
  ClosedError,
  CorruptionError,
  FirnError,
  FormatVersionError,
  InvalidArgumentError,
  isFirnError,
} from '@firn/env'
export { DatabaseNotFoundError } from '@firn/manifest'
export type { HistoryRetention } from '@firn/mvcc'
export type { Batch } from './batch.js'
export type { CompactionReport, Database, EvictOptions, SkippedFile } from './database.js'
export type { AnyEncoding, EncodedType, Encoding, EncodingName } from './encoding.js'
export {
  CommitConflictError,
  NotResidentError,
  ReadOnlyError,
  SnapshotExpiredError,
  TableOptionsError,
  TransactionConflictError,
  VersionNotFoundError,
  WriteStalledError,
  WriteStoppedError,
} from './errors.js'
export { open } from './open.js'
export type { DatabaseParts, Logger, OpenOptions, Tuning } from './open-options.js'
export { AWS_PRICES, type Prices } from './prices.js'
export type { Moment, Prefix, Range, ReadOptions, ScanOptions } from './range.js'
export type {
  Explanation,
  LogRequestKind,
  LogRequestStats,
  RequestStats,
} from './request-stats.js'
export type { Rows, Scan } from './scan.js'
export type { Snapshot } from './snapshot.js'
export type { DatabaseStats, LevelStats } from './stats.js'
export type { ReadableTable, Table, WarmReport } from './table.js'
export type { TableInfo } from './table-info.js'
export type { KeyOf, TableOptions, TypingOptions, ValueOf } from './table-options.js'
export type { Transaction, TransactionOptions, TransactionTable } from './transaction.js'
export type { Commit, Durability, WriteOptions } from './write-options.js'
