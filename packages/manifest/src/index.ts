export { decodeCheckpoint, encodeCheckpoint } from './checkpoint-codec.js'
export { pruneCheckpoints, readNewestCheckpoint, writeCheckpoint } from './checkpoint-store.js'
export { conflictOf } from './conflict.js'
export { decodeEdits, encodeEdits } from './edits.js'
export { DatabaseNotFoundError } from './errors.js'
export { fileBaseVersion, newFileId } from './file-id.js'
export { type FileSummary, fileMeta } from './file-meta.js'
export { applyEntry, emptyState, liveFiles } from './fold.js'
export { begunKey, checkpointPrefix, ROOT_KEY, sstKey, sstPrefix } from './object-keys.js'
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
export type * from './state.js'
