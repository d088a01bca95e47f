import { BaseObjectStore } from './base-object-store.js'
import { resolveRange } from './byte-range.js'
import { ObjectNotFoundError, PreconditionFailedError } from './errors.js'
import type {
  GetOptions,
  ListOptions,
  ObjectInfo,
  PutOptions,
  StoredObject,
  UploadOptions,
} from './object-store.js'
import type { UploadSink } from './upload-session.js'

interface Held {
  bytes: Uint8Array
  etag: string
}

/** The objects, which several stores can share. */
class Shelf {
  readonly objects = new Map<string, Held>()
  #writes = 0
  /** All keys in order; absent if a key was added or removed since. */
  #sorted: string[] | undefined

  /** Stores `bytes` without a copy; returns their etag. */
  set(key: string, bytes: Uint8Array): string {
    if (!this.objects.has(key)) this.#sorted = undefined
    const etag = `m${(++this.#writes).toString(36)}`
    this.objects.set(key, { bytes, etag })
    return etag
  }

  delete(key: string): void {
    if (this.objects.delete(key)) this.#sorted = undefined
  }

  sortedKeys(): readonly string[] {
    // Keys are ASCII, so the default order of strings is their byte order.
    this.#sorted ??= [...this.objects.keys()].sort()
    return this.#sorted
  }
}

/** Objects in the memory of this process. */
export class MemoryObjectStore extends BaseObjectStore {
  #shelf = new Shelf()

  /** Returns another store of the same objects. Closing one leaves the other open. */
  share(): MemoryObjectStore {
    const other = new MemoryObjectStore()
    other.#shelf = this.#shelf
    return other
  }

  protected override async _get(key: string, options: GetOptions): Promise<StoredObject> {
    const held = this.#shelf.objects.get(key)
    if (held === undefined) throw new ObjectNotFoundError(key)
    if (options.ifMatch !== undefined && options.ifMatch !== held.etag) {
      throw new PreconditionFailedError(key, 'ifMatch')
    }
    const { start, end } = resolveRange(options.range, held.bytes.length)
    const bytes = held.bytes.slice(start, end)
    return { key, size: held.bytes.length, etag: held.etag, bytes, offset: start }
  }

  protected override async _head(key: string): Promise<ObjectInfo | undefined> {
    const held = this.#shelf.objects.get(key)
    return held === undefined ? undefined : { key, size: held.bytes.length, etag: held.etag }
  }

  protected override async _put(
    key: string,
    bytes: Uint8Array,
    options: PutOptions,
  ): Promise<{ etag: string }> {
    this.#assertCondition(key, options)
    return { etag: this.#shelf.set(key, new Uint8Array(bytes)) }
  }

  protected override async _delete(keys: readonly string[]): Promise<void> {
    for (const key of keys) this.#shelf.delete(key)
  }

  protected override async *_list(options: ListOptions): AsyncIterable<ObjectInfo> {
    const { prefix = '', startAfter = '', limit = Number.POSITIVE_INFINITY } = options
    const keys = this.#shelf.sortedKeys()
    let at = Math.max(firstFrom(keys, prefix), firstFrom(keys, startAfter))
    for (let listed = 0; listed < limit; at++) {
      const key = keys[at]
      if (key === undefined || !key.startsWith(prefix)) return
      const held = this.#shelf.objects.get(key)
      if (held === undefined || key === startAfter) continue
      yield { key, size: held.bytes.length, etag: held.etag }
      listed++
    }
  }

  protected override async _upload(key: string, options: UploadOptions): Promise<UploadSink> {
    let chunks: Uint8Array[] = []
    let size = 0
    return {
      write: async (bytes) => {
        chunks.push(new Uint8Array(bytes))
        size += bytes.length
      },
      finish: async () => {
        this.#assertCondition(key, options)
        const whole = new Uint8Array(size)
        let offset = 0
        for (const chunk of chunks) {
          whole.set(chunk, offset)
          offset += chunk.length
        }
        return { etag: this.#shelf.set(key, whole), size }
      },
      abort: async () => {
        chunks = []
      },
    }
  }

  protected override async _close(): Promise<void> {}

  #assertCondition(key: string, options: PutOptions): void {
    const held = this.#shelf.objects.get(key)
    if (options.ifAbsent === true && held !== undefined) {
      throw new PreconditionFailedError(key, 'ifAbsent')
    }
    if (options.ifMatch !== undefined && options.ifMatch !== held?.etag) {
      throw new PreconditionFailedError(key, 'ifMatch')
    }
  }
}

/** Index of the first key that is not less than `key`. */
function firstFrom(keys: readonly string[], key: string): number {
  let low = 0
  let high = keys.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((keys[middle] ?? '') < key) low = middle + 1
    else high = middle
  }
  return low
}
