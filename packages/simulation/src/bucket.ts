import { concatBytes, equalRanges, hashRange } from '@firn/bytes'
import { refusal } from './s3-exceptions.js'

/** Metadata that users attach to an object. */
export type Metadata = Readonly<Record<string, string>>

/** An object to put. The bucket takes ownership of it. */
export interface NewObject {
  bytes: Uint8Array
  metadata: Metadata
}

export interface BucketObject extends NewObject {
  etag: string
}

/** Conditions of a write. */
export interface WriteCondition {
  ifAbsent?: boolean | undefined
  ifMatch?: string | undefined
}

/** A part of an upload, with its ETag from S3. */
export interface NamedPart {
  number: number
  etag: string
}

interface BucketUpload {
  key: string
  metadata: Metadata
  parts: Map<number, { bytes: Uint8Array; etag: string }>
}

/**
 * The objects of a simulated store. Each change happens at one instant, and nothing that was stored
 * is forgotten. Impossible requests are refused with S3's exceptions.
 */
export class Bucket {
  readonly #objects: Map<string, BucketObject> = new Map()
  readonly #archive: Map<string, Uint8Array> = new Map()
  readonly #onReuse: (key: string) => void
  #sorted: string[] | undefined
  /** The object that each change replaced, oldest first. */
  readonly #before: { key: string; object: BucketObject | undefined }[] = []
  readonly #uploads: Map<string, BucketUpload> = new Map()
  #uploadsBegun = 0

  /** `onReuse` is called if a file's name is used for other bytes than before. */
  constructor(onReuse: (key: string) => void = () => {}) {
    this.#onReuse = onReuse
  }

  find(key: string): BucketObject | undefined {
    return this.#objects.get(key)
  }

  get(key: string): BucketObject {
    const object = this.#objects.get(key)
    if (object === undefined) throw refusal('NoSuchKey')
    return object
  }

  /**
   * Returns the ETag. It follows from the content: putting the same content again brings back the
   * ETag.
   */
  put(key: string, object: NewObject, condition: WriteCondition = {}): string {
    return this.#put(key, { ...object, etag: etagOf(object.bytes) }, condition)
  }

  #put(key: string, object: BucketObject, { ifAbsent, ifMatch }: WriteCondition): string {
    const { bytes, etag } = object
    const found = this.#objects.get(key)
    if (ifAbsent === true && found !== undefined) throw refusal('PreconditionFailed')
    if (ifMatch !== undefined && ifMatch !== found?.etag) {
      throw refusal(found === undefined ? 'NoSuchKey' : 'PreconditionFailed')
    }
    const before = this.#archive.get(key)
    if (before === undefined) this.#archive.set(key, bytes)
    else if (
      key.startsWith('sst/') &&
      !equalRanges(before, 0, before.length, bytes, 0, bytes.length)
    )
      this.#onReuse(key)
    if (found === undefined) this.#sorted = undefined
    this.#before.push({ key, object: found })
    this.#objects.set(key, object)
    return etag
  }

  delete(key: string): void {
    const object = this.#objects.get(key)
    if (object === undefined) return
    this.#before.push({ key, object })
    this.#objects.delete(key)
    this.#sorted = undefined
  }

  /** All objects, in the order of their keys. */
  *objects(): Generator<readonly [string, BucketObject]> {
    for (const key of this.keys()) yield [key, this.get(key)]
  }

  /** Returns all objects as they were this many changes ago. */
  objectsBefore(changes: number): (readonly [string, BucketObject])[] {
    const objects = new Map(this.#objects)
    for (const { key, object } of this.#before
      .slice(Math.max(0, this.#before.length - changes))
      .reverse()) {
      if (object === undefined) objects.delete(key)
      else objects.set(key, object)
    }
    return [...objects].sort(([a], [b]) => (a < b ? -1 : 1))
  }

  /** Begins an upload in parts, and returns its id. Nothing is visible before it is completed. */
  beginUpload(key: string, metadata: Metadata): string {
    const id = `upload-${++this.#uploadsBegun}`
    this.#uploads.set(id, { key, metadata, parts: new Map() })
    return id
  }

  /** Returns the part's ETag. */
  putPart(id: string, number: number, bytes: Uint8Array): string {
    const etag = etagOf(bytes)
    this.#upload(id).parts.set(number, { bytes, etag })
    return etag
  }

  /** Makes the object of exactly the parts that are named, and returns its ETag. */
  completeUpload(id: string, named: readonly NamedPart[], condition: WriteCondition): string {
    const { key, metadata, parts } = this.#upload(id)
    let last = 0
    const pieces = named.map(({ number, etag }) => {
      const part = parts.get(number)
      if (part?.etag !== etag) throw refusal('InvalidPart')
      if (number <= last) throw refusal('InvalidPartOrder')
      last = number
      return part.bytes
    })
    const bytes = concatBytes(pieces)
    const etag = `${etagOf(bytes)}-${named.length}`
    this.#put(key, { bytes, metadata, etag }, condition)
    this.#uploads.delete(id)
    return etag
  }

  /** Discards the parts. */
  abortUpload(id: string): void {
    this.#upload(id)
    this.#uploads.delete(id)
  }

  #upload(id: string): BucketUpload {
    const upload = this.#uploads.get(id)
    if (upload === undefined) throw refusal('NoSuchUpload')
    return upload
  }

  /** Keys in order. */
  keys(): readonly string[] {
    this.#sorted ??= [...this.#objects.keys()].sort()
    return this.#sorted
  }

  /** Returns what was first put under a key, even if it is gone or replaced by now. */
  everPut(key: string): Uint8Array | undefined {
    return this.#archive.get(key)
  }
}

/** S3 uses MD5 for this. All that matters is that the ETag follows from the bytes. */
function etagOf(bytes: Uint8Array): string {
  const hash = hashRange(bytes, 0, bytes.length, 0).toString(16).padStart(8, '0')
  return hash + bytes.length.toString(16)
}
