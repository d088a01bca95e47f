export { TimestampClock } from './clock.js'
export * from './cursor.js'
export * from './lookup.js'
export { MergingCursor } from './merging-cursor.js'
export * from './record.js'
export {
  DROP,
  type HistoryRetention,
  horizonOf,
  KEEP,
  KEEP_IF_OLDER_STAYS,
  KeyRetention,
  type KeyRetentionOptions,
  type RetentionDecision,
  versionsOf,
} from './retention.js'
export * from './table-prefix.js'
export { VisibleCursor, type VisibleCursorOptions } from './visible-cursor.js'
