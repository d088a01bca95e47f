import { concatBytes, equalRanges } from '@firn/bytes'
import { ObjectNotFoundError, PreconditionFailedError } from '@firn/object-store'

export interface BucketObject {
  bytes: Uint8Array
  etag: string
}

/** Conditions of a write. */
export interface WriteCondition {
  ifAbsent?: boolean | undefined
  ifMatch?: string | undefined
}

/** The objects of a simulated store, changed in single instants. Nothing that was in it is forgotten. */
export class Bucket {
  readonly #objects: Map<string, BucketObject> = new Map()
  readonly #archive: Map<string, Uint8Array> = new Map()
  readonly #onReuse: (key: string) => void
  #sorted: string[] | undefined
  #writes = 0
  /** What each change found in its place, oldest first. */
  readonly #before: { key: string; object: BucketObject | undefined }[] = []
  readonly #uploads: Map<number, { key: string; parts: Map<number, Uint8Array> }> = new Map()
  #uploadsBegun = 0

  /** `onReuse` is told where a file's name is used for other bytes than before. */
  constructor(onReuse: (key: string) => void = () => {}) {
    this.#onReuse = onReuse
  }

  find(key: string): BucketObject | undefined {
    return this.#objects.get(key)
  }

  /** Throws `ObjectNotFoundError`. */
  get(key: string): BucketObject {
    const object = this.#objects.get(key)
    if (object === undefined) throw new ObjectNotFoundError(key)
    return object
  }

  /** Takes over `bytes`; gives the etag. Throws `PreconditionFailedError`. */
  put(key: string, bytes: Uint8Array, { ifAbsent, ifMatch }: WriteCondition = {}): string {
    const found = this.#objects.get(key)
    if (ifAbsent === true && found !== undefined) throw new PreconditionFailedError(key, 'ifAbsent')
    if (ifMatch !== undefined && ifMatch !== found?.etag) {
      throw new PreconditionFailedError(key, 'ifMatch')
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
    const etag = `e${++this.#writes}`
    this.#objects.set(key, { bytes, etag })
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

  /** The same as it was so many changes ago. */
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

  /** Begins an upload in parts; gives its id. Nothing of it is seen before it is completed. */
  beginUpload(key: string): number {
    const id = ++this.#uploadsBegun
    this.#uploads.set(id, { key, parts: new Map() })
    return id
  }

  /** Throws `ObjectNotFoundError` where the upload was completed or aborted. */
  putPart(id: number, number: number, bytes: Uint8Array): void {
    this.#upload(id).parts.set(number, bytes)
  }

  /** Makes the object; gives its etag. Throws as `putPart` and `put` do. */
  completeUpload(id: number, condition: WriteCondition): string {
    const { key, parts } = this.#upload(id)
    const inOrder = [...parts].sort(([a], [b]) => a - b).map(([, bytes]) => bytes)
    const etag = this.put(key, concatBytes(inOrder), condition)
    this.#uploads.delete(id)
    return etag
  }

  /** Gives the parts up. Throws as `putPart` does. */
  abortUpload(id: number): void {
    this.#upload(id)
    this.#uploads.delete(id)
  }

  /** How many uploads were neither completed nor aborted. */
  get uploadsLeft(): number {
    return this.#uploads.size
  }

  #upload(id: number): { key: string; parts: Map<number, Uint8Array> } {
    const upload = this.#uploads.get(id)
    if (upload === undefined) throw new ObjectNotFoundError(`upload ${id}`)
    return upload
  }

  /** Keys in order. */
  keys(): readonly string[] {
    this.#sorted ??= [...this.#objects.keys()].sort()
    return this.#sorted
  }

  /** What was first put under a key, even if it is gone or replaced by now. */
  everPut(key: string): Uint8Array | undefined {
    return this.#archive.get(key)
  }
}
