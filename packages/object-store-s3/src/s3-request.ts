/** Kind of a request. S3 charges one price for get and head, and one for put, list and uploads. */
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

/** An HTTP request that was made, whether it succeeded or not. */
export interface S3Request {
  kind: S3RequestKind
  /** Bytes of the object in the request. A failed request counts them all. */
  bytesSent: number
  /** Bytes of the object in the reply, if the reply arrived whole. */
  bytesReceived: number
  /** Whether the request ended in an error. A missing object or a failed condition is one. */
  failed: boolean
}
