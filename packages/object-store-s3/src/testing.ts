import { SMALL_PARTS } from './internal/part-size.js'
import type { S3ObjectStoreOptions } from './s3-object-store.js'

/**
 * Allows `partBytes` below 5 MiB, for tests: a few bytes then make an upload in parts. The server
 * must accept such parts; S3 doesn't.
 */
export function withSmallParts(options: S3ObjectStoreOptions): S3ObjectStoreOptions {
  return { ...options, [SMALL_PARTS]: true } as S3ObjectStoreOptions
}
