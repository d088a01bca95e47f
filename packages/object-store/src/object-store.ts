/**
 * Object storage as Firn uses it: flat keys, whole-object writes, ranged reads, conditional
 * creates. What S3 promises, no more: strongly consistent, no append, no rename.
 *
 * Keys are 1–1024 bytes of UTF-8 in '/'-separated segments of `[A-Za-z0-9._=@+-]`; segments `.`,
 * `..` and empty ones are refused. Lists are in byte order of the keys.
 */
export interface ObjectStore {
  /**
   * Reads an object, or a range of it. Throws `ObjectNotFoundError` where there is none, and
   * `PreconditionFailedError` where `ifMatch` names another content.
   */
  get(key: string, options?: GetOptions): Promise<StoredObject>
  /** What `get` would say of an object, without its bytes; `undefined` where there is none. */
  head(key: string, options?: CallOptions): Promise<ObjectInfo | undefined>
  /**
   * Writes a whole object: readers see the old content or the new one, never a mixture. Durable
   * when it resolves. The store reads `bytes` until it settles, more than once if it tries again:
   * they must not change before. Throws `PreconditionFailedError` when a condition doesn't hold.
   * Any other error leaves open whether the object was written, unless it is a `FirnError` whose
   * `maybeDone` is false: then it certainly wasn't and won't be (no space, no permission, no such
   * bucket, …).
   */
  put(key: string, bytes: Uint8Array, options?: PutOptions): Promise<{ etag: string }>
  /** Deletes objects; missing ones are no error. */
  delete(keys: string | readonly string[], options?: CallOptions): Promise<void>
  /** Lists objects in key order, page by page as the iteration goes on. */
  list(options?: ListOptions): AsyncIterable<ObjectInfo>
  /** Starts a streaming write of an object that becomes visible, whole, at `finish()`. */
  upload(key: string, options?: UploadOptions): Promise<Upload>
  /** Releases what the store holds (connections, file handles). Idempotent. */
  close(): Promise<void>
}

export interface CallOptions {
  signal?: AbortSignal | undefined
  /**
   * Goes ahead of other calls if the store has calls wait for each other (for a connection). For
   * what many wait for, as they do for a commit. Default false.
   */
  urgent?: boolean | undefined
}

export interface ByteRange {
  /**
   * First byte. Negative: that many bytes from the end (or the whole object where it is shorter).
   */
  start: number
  /**
   * One past the last byte; absent: to the end. A range that runs past the end is cut there; one
   * that begins past it yields no bytes and is no error.
   */
  end?: number
}

export interface GetOptions extends CallOptions {
  range?: ByteRange | undefined
  ifMatch?: string | undefined
  /** The caller's word that no object of this key is ever overwritten: handles may be kept. */
  immutable?: boolean | undefined
}

export interface ObjectInfo {
  key: string
  /** Bytes of the whole object. */
  size: number
  /** Opaque; changes whenever the content does. */
  etag: string
}

export interface StoredObject extends ObjectInfo {
  /** The bytes asked for. The caller owns them. */
  bytes: Uint8Array
  /** Offset of `bytes` in the object. */
  offset: number
}

export interface PutOptions extends CallOptions {
  /** Create only: fail where an object of this key exists. Exactly one of many racers wins. */
  ifAbsent?: boolean | undefined
  /** Replace only this content (an etag). Exactly one of many racers wins. */
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

/**
 * A streaming write. Nothing is visible before `finish` resolves, nothing is left after `abort`.
 */
export interface Upload {
  /** Takes the next bytes; await it for back-pressure. The store owns `bytes` until it resolves. */
  write(bytes: Uint8Array): Promise<void>
  finish(): Promise<{ etag: string; size: number }>
  /** Gives up. Idempotent, and harmless after `finish`. */
  abort(): Promise<void>
}
