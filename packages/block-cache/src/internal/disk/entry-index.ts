/** One entry on disk. */
export interface DiskEntry {
  readonly fileId: string
  readonly offset: number
  /** Bytes of its content. */
  readonly length: number
  /** Bytes of its file. */
  readonly size: number
  /** Used since eviction last looked at it. */
  used: boolean
  /** Whether its file exists. Until then the entry takes up space, and evicting it frees none. */
  written: boolean
}

/**
 * The entries on disk, in order of arrival. Eviction takes the oldest one, unless it was used: a
 * used entry counts as new once more (first in, first out, with a second chance).
 */
export class EntryIndex {
  bytes = 0
  readonly #order: Set<DiskEntry> = new Set()
  readonly #files: Map<string, Map<number, DiskEntry>> = new Map()

  get length(): number {
    return this.#order.size
  }

  /** Returns the entry at a place. A place has at most one. */
  find(fileId: string, offset: number): DiskEntry | undefined {
    return this.#files.get(fileId)?.get(offset)
  }

  /** Adds an entry. Its place must have none. */
  add(entry: DiskEntry): void {
    let file = this.#files.get(entry.fileId)
    if (file === undefined) {
      file = new Map()
      this.#files.set(entry.fileId, file)
    }
    file.set(entry.offset, entry)
    this.#order.add(entry)
    this.bytes += entry.size
  }

  remove(entry: DiskEntry): void {
    if (!this.#order.delete(entry)) return
    const file = this.#files.get(entry.fileId)
    file?.delete(entry.offset)
    if (file?.size === 0) this.#files.delete(entry.fileId)
    this.bytes -= entry.size
  }

  entriesOf(fileId: string): DiskEntry[] {
    return [...(this.#files.get(fileId)?.values() ?? [])]
  }

  /** The files that have entries. */
  fileIds(): string[] {
    return [...this.#files.keys()]
  }

  /**
   * Removes and returns the next entry to evict; `undefined` if all that is left is being written.
   */
  takeOldest(): DiskEntry | undefined {
    for (const entry of this.#order) {
      if (!entry.written) continue
      if (!entry.used) {
        this.remove(entry)
        return entry
      }
      // A set iterates in insertion order, and includes entries added meanwhile.
      entry.used = false
      this.#order.delete(entry)
      this.#order.add(entry)
    }
    return undefined
  }
}
