import { badReply } from './s3-errors.js'

/**
 * Returns the ETag of an answer, without quotes. In If-Match, S3 accepts both forms, and Ceph's
 * gateway only the one without quotes.
 */
export function etagOf(etag: string | undefined, doing: string): string {
  const bare = etag?.replace(/^"(.*)"$/, '$1') ?? ''
  if (bare === '') throw badReply(doing, 'has no ETag')
  return bare
}
