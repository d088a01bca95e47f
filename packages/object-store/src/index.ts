export { BaseObjectStore } from './base-object-store.js'
export { assertRange, type ResolvedRange, resolveRange } from './byte-range.js'
export { assertConditionalWrites, type ConditionalWritesOptions } from './conditional-writes.js'
export {
  ObjectNotFoundError,
  ObjectStoreError,
  type ObjectStoreErrorOptions,
  type ObjectStoreErrorReason,
  PreconditionFailedError,
  ReadOnlyStoreError,
  UnsupportedOperationError,
} from './errors.js'
export { MemoryObjectStore } from './memory-object-store.js'
export {
  MeteredObjectStore,
  type RequestCounts,
  type RequestKind,
  type RequestMeter,
} from './metered-object-store.js'
export { assertKey, assertKeyPrefix, isKey, MAX_KEY_BYTES } from './object-key.js'
export type * from './object-store.js'
export { RetryingObjectStore, type RetryOptions } from './retrying-object-store.js'
export type { UploadSink } from './upload-session.js'
