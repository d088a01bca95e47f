import { SMALL_PARTS } from './internal/part-size.js'
import type { S3ObjectStoreOptions } from './s3-object-store.js'

/**
 * The same options for a store whose server is a test's, and takes parts of less than 5 MiB, as S3
 * does not: so a few bytes are an upload in parts.
 */
export function withSmallParts(options: S3ObjectStoreOptions): S3ObjectStoreOptions {
  return { ...options, [SMALL_PARTS]: true } as S3ObjectStoreOptions
}
