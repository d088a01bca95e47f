import type { RecordCursor, RetentionDecision } from '@firn/mvcc'

/** Decides which versions are written, key by key, newest first. */
export interface VersionFilter {
  /** The cursor stands on the first version of another key. */
  begin(cursor: RecordCursor): void
  /** Whether the version that the cursor stands on stays. */
  keep(cursor: RecordCursor): RetentionDecision
  /** A delete that was to stay only with an older version (`KEEP_IF_OLDER_STAYS`) is written. */
  reinstated?(): void
}
