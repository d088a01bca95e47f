import type { File } from '@firn/vfs'

/** An object that is open for reading. */
export interface OpenObject {
  readonly file: File
  readonly size: number
  readonly etag: string
  /** Thread-pool reads under way; the file stays open for them. */
  users: number
  /** Read since eviction last looked at it. */
  touched: boolean
  /** Out of the cache; closed when the last user leaves. */
  evicted: boolean
}

/**
 * The open files of immutable objects, at most `capacity`. Eviction is second chance in order of
 * opening (CLOCK): a hit is a map look-up and a store to a flag.
 */
export class OpenFiles {
  readonly #capacity: number
  #closed = false
  readonly #open = new Map<string, OpenObject>()

  constructor(capacity: number) {
    this.#capacity = capacity
  }

  get size(): number {
    return this.#open.size
  }

  get(key: string): OpenObject | undefined {
    const handle = this.#open.get(key)
    if (handle !== undefined) handle.touched = true
    return handle
  }

  /**
   * Takes over a handle that its caller still uses. If the key already has another handle, returns
   * that one and closes the caller's when its users leave.
   */
  add(key: string, handle: OpenObject): OpenObject {
    if (this.#closed) {
      handle.evicted = true
      return handle
    }
    const first = this.#open.get(key)
    if (first !== undefined) {
      this.#evict(handle)
      return first
    }
    while (this.#open.size >= this.#capacity) this.#makeRoom()
    this.#open.set(key, handle)
    return handle
  }

  /** Must be called when a user leaves, for example when a thread-pool read ends. */
  release(handle: OpenObject): void {
    handle.users--
    if (handle.evicted && handle.users === 0) this.#close(handle)
  }

  /** Closes one object's file: the object was deleted, replaced, or couldn't be read. */
  drop(key: string): void {
    const handle = this.#open.get(key)
    if (handle === undefined) return
    this.#open.delete(key)
    this.#evict(handle)
  }

  /** Closes all files; returns how many there were. */
  clear(): number {
    const count = this.#open.size
    for (const handle of this.#open.values()) this.#evict(handle)
    this.#open.clear()
    return count
  }

  /** Closes all files, and keeps none from now on. */
  close(): void {
    this.#closed = true
    this.clear()
  }

  #makeRoom(): void {
    for (const [key, handle] of this.#open) {
      this.#open.delete(key)
      if (!handle.touched) {
        this.#evict(handle)
        return
      }
      // Maps iterate in insertion order and include entries added meanwhile, so this ends at the
      // latest at a handle whose flag it cleared.
      handle.touched = false
      this.#open.set(key, handle)
    }
  }

  #evict(handle: OpenObject): void {
    handle.evicted = true
    if (handle.users === 0) this.#close(handle)
  }

  #close(handle: OpenObject): void {
    try {
      handle.file.closeSync()
    } catch {
      // Nothing was written through it, so nothing can be lost.
    }
  }
}
