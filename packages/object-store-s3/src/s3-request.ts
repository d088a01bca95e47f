/**
 * The requests that a store makes. S3 prices get and head alike, and put, list and uploads alike.
 */
export type S3RequestKind =
  | 'get'
  | 'head'
  | 'put'
  | 'delete'
  | 'list'
  | 'create-multipart'
  | 'upload-part'
  | 'complete-multipart'
  | 'abort-multipart'

/** One HTTP request that was made, whatever came of it. */
export interface S3Request {
  kind: S3RequestKind
  /** Bytes of objects that were sent, as far as it is known: all of them. */
  bytesSent: number
  /** Bytes of objects that were received, whole replies only. */
  bytesReceived: number
  /** Whether the call came to an error, a missing object and a refused condition among them. */
  failed: boolean
}
