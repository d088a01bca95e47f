export {
  ArrayCursor,
  type ArrayCursorOptions,
  compareRecords,
  drain,
  type VersionedRecord,
} from './array-cursor.js'
