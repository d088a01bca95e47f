import { equalRanges } from '@firn/bytes'
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
    const etag = `e${++this.#writes}`
    this.#objects.set(key, { bytes, etag })
    return etag
  }

  delete(key: string): void {
    if (this.#objects.delete(key)) this.#sorted = undefined
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
