export { TimestampClock } from './clock.js'
export * from './cursor.js'
export { MergingCursor } from './merging-cursor.js'
export * from './record.js'
export {
  DROP,
  horizonOf,
  KEEP,
  KEEP_IF_OLDER_STAYS,
  KeyRetention,
  type KeyRetentionOptions,
  type Retention,
  type RetentionDecision,
  versionsOf,
} from './retention.js'
export { VisibleCursor, type VisibleCursorOptions } from './visible-cursor.js'
