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
  /** Its file is there. Until then it takes up room, and can't make any. */
  written: boolean
}

/**
 * What is on disk, in the order in which it came. Eviction takes the oldest entry, unless it was
 * used: then it counts as new once more (first in, first out, with a second chance).
 */
export class EntryIndex {
  bytes = 0
  readonly #order: Set<DiskEntry> = new Set()
  readonly #files: Map<string, Map<number, DiskEntry>> = new Map()

  get length(): number {
    return this.#order.size
  }

  /** The entry at a place, and never two there. */
  find(fileId: string, offset: number): DiskEntry | undefined {
    return this.#files.get(fileId)?.get(offset)
  }

  /** There must be none at its place. */
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

  /** The entry to evict next, taken out; `undefined` when there is none but those being written. */
  takeOldest(): DiskEntry | undefined {
    for (const entry of this.#order) {
      if (!entry.written) continue
      if (!entry.used) {
        this.remove(entry)
        return entry
      }
      // A set iterates in insertion order, and comes to what is added meanwhile.
      entry.used = false
      this.#order.delete(entry)
      this.#order.add(entry)
    }
    return undefined
  }
}
