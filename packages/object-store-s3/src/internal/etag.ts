import { badReply } from './s3-errors.js'

/**
 * The ETag of an answer, without its quotes. Nobody asks for them in If-Match: S3 takes both forms
 * there, and Ceph's gateway only the one without.
 */
export function etagOf(etag: string | undefined, doing: string): string {
  const bare = etag?.replace(/^"(.*)"$/, '$1') ?? ''
  if (bare === '') throw badReply(doing, 'has no ETag')
  return bare
}
