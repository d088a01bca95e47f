import type { File } from '@firn/vfs'

/** An object that is open for reading. */
export interface OpenObject {
  readonly file: File
  readonly size: number
  readonly etag: string
  /** Reads by the thread pool under way; the file stays open for them. */
  users: number
  /** Read since eviction last came by. */
  touched: boolean
  /** Out of the cache: closed when the last user leaves. */
  evicted: boolean
}

/**
 * The open files of objects that never change, at most `capacity` of them. Which goes is decided by
 * a second chance in order of opening (CLOCK): a hit is a map look-up and a store to a flag.
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
   * Takes over a handle that its caller still uses. Where another one of the key came first, that
   * one is returned and the caller's is closed when its users leave.
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

  /** To be called when a user leaves, as when a read by the thread pool ends. */
  release(handle: OpenObject): void {
    handle.users--
    if (handle.evicted && handle.users === 0) this.#close(handle)
  }

  /** Lets go of one object's file: it was deleted, replaced, or failed to be read. */
  drop(key: string): void {
    const handle = this.#open.get(key)
    if (handle === undefined) return
    this.#open.delete(key)
    this.#evict(handle)
  }

  /** Lets go of all; how many there were. */
  clear(): number {
    const count = this.#open.size
    for (const handle of this.#open.values()) this.#evict(handle)
    this.#open.clear()
    return count
  }

  /** Lets go of all, and keeps none from now on. */
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
      // Maps iterate in order of insertion, what is added meanwhile included: this ends when it
      // comes back to a handle whose flag it cleared.
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
