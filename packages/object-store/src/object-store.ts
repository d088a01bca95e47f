/**
 * Object storage with the promises of S3 and no more: flat keys, whole-object writes, ranged reads,
 * conditional creates and replacements, strong consistency; no append, no rename.
 *
 * Keys are 1–1024 bytes in '/'-separated segments of `[A-Za-z0-9._=@+-]`; empty segments, `.` and
 * `..` are refused. Lists are in byte order of the keys.
 */
export interface ObjectStore {
  /**
   * Reads an object, or a range of it. Throws `ObjectNotFoundError` if there is none, and
   * `PreconditionFailedError` if the object doesn't have the etag `ifMatch`.
   */
  get(key: string, options?: GetOptions): Promise<StoredObject>
  /** Returns an object's size and etag; `undefined` if there is none. */
  head(key: string, options?: CallOptions): Promise<ObjectInfo | undefined>
  /**
   * Writes a whole object: readers see the old content or the new one, never a mixture. Durable
   * when it resolves. The store may read `bytes` several times until the call settles; they must
   * not change before. Throws `PreconditionFailedError` if a condition doesn't hold. After any
   * other error it is unknown whether the object was written, unless the error is a `FirnError`
   * whose `maybeDone` is false: then it certainly wasn't and won't be (no space, no permission, no
   * such bucket, …).
   */
  put(key: string, bytes: Uint8Array, options?: PutOptions): Promise<{ etag: string }>
  /** Deletes objects. Missing objects are not an error. */
  delete(keys: string | readonly string[], options?: CallOptions): Promise<void>
  /** Lists objects in key order, requesting pages as the iteration proceeds. */
  list(options?: ListOptions): AsyncIterable<ObjectInfo>
  /** Starts a streaming write of an object that becomes visible, whole, at `finish()`. */
  upload(key: string, options?: UploadOptions): Promise<Upload>
  /** Releases connections, file handles and other resources. Idempotent. */
  close(): Promise<void>
}

export interface CallOptions {
  signal?: AbortSignal | undefined
  /**
   * Go ahead of other calls that wait, for a connection for example. For calls on which many others
   * wait, such as commits. Default false.
   */
  urgent?: boolean | undefined
}

export interface ByteRange {
  /**
   * First byte. Negative: that many bytes from the end, or the whole object if it is shorter.
   */
  start: number
  /**
   * One past the last byte; absent: to the end. A range that runs past the end is cut there. A
   * range that begins past the end yields no bytes, and is not an error.
   */
  end?: number
}

export interface GetOptions extends CallOptions {
  range?: ByteRange | undefined
  ifMatch?: string | undefined
  /** The caller promises that this key is never overwritten, so the store may keep handles open. */
  immutable?: boolean | undefined
}

export interface ObjectInfo {
  key: string
  /** Size of the whole object in bytes. */
  size: number
  /** Opaque; changes whenever the content does. */
  etag: string
}

export interface StoredObject extends ObjectInfo {
  /** The requested bytes. They belong to the caller. */
  bytes: Uint8Array
  /** Offset of `bytes` in the object. */
  offset: number
}

export interface PutOptions extends CallOptions {
  /** Create only: fail if an object of this key exists. Exactly one of many racers wins. */
  ifAbsent?: boolean | undefined
  /** Replace only the content with this etag. Exactly one of many racers wins. */
  ifMatch?: string | undefined
}

export interface ListOptions extends CallOptions {
  prefix?: string | undefined
  /** Only keys after this one. */
  startAfter?: string | undefined
  limit?: number | undefined
}

export interface UploadOptions extends CallOptions {
  ifAbsent?: boolean | undefined
}

/** A streaming write. The object becomes visible at `finish`. Nothing is left after `abort`. */
export interface Upload {
  /** Writes the next bytes. Await it for back-pressure; don't change `bytes` until it resolves. */
  write(bytes: Uint8Array): Promise<void>
  finish(): Promise<{ etag: string; size: number }>
  /** Aborts the upload. Idempotent, and harmless after `finish`. */
  abort(): Promise<void>
}
