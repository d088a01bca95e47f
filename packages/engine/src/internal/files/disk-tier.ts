import type { DiskCache, DiskCacheStats } from '@firn/block-cache/disk'

/** Chunks of a file by their offsets. */
export type Chunks = ReadonlyMap<number, Uint8Array>

/**
 * Size of what the disk keeps of a file at a time: with the header of the cache's entries, 64 KiB.
 *
 * It is what a cold point read fetches from the store, in place of a block of 8 KiB: some 0.6 ms
 * more at 100 MB/s, where the request itself takes some 20. Seven neighbours come with it.
 * Reading such an entry back takes 0.10 ms, one of 32 KiB 0.07 and one of 128 KiB 0.13; small ones
 * are slow to write (17 MB/s at 8 KiB, 156 at 32, 186 at 64, 225 at 128) and many to find at open.
 */
export const CHUNK_BYTES: number = 64 * 1024 - 64

/**
 * What may be on its way to the disk, unless it is one read's. Chunks beyond that aren't kept: a
 * disk that is slower than the store mustn't fill the memory.
 */
const MAX_KEEPING_BYTES = 16 * 1024 * 1024

/** Chunks that are written at a time: more would keep reads from Node's four threads. */
const WRITERS = 2

/**
 * The disk's part of a database's cache: chunks of its SSTs, which `TieredSource` reads through.
 */
export class DiskTier {
  readonly #cache: DiskCache
  readonly #incarnation: string
  readonly #working: Set<Promise<void>> = new Set()
  /** What each writer has to do, up to its last task. */
  readonly #writers: Promise<void>[] = []
  #nextWriter = 0
  #keepingBytes = 0

  /** Takes over the cache: `close` closes it. */
  constructor(cache: DiskCache, incarnation: string) {
    this.#cache = cache
    this.#incarnation = incarnation
  }

  /** A chunk, if it is on disk, whole and sound. */
  get(fileId: string, offset: number, length: number): Promise<Uint8Array | undefined> {
    return this.#cache.get(this.#name(fileId), offset, length)
  }

  /** Puts chunks on disk when it is their turn. Resolves when that is over, and never rejects. */
  keep(fileId: string, chunks: Chunks, replace: boolean): Promise<void> {
    let bytes = 0
    for (const chunk of chunks.values()) bytes += chunk.length
    const before = this.#keepingBytes
    if (bytes === 0 || (before > 0 && before + bytes > MAX_KEEPING_BYTES)) return Promise.resolve()
    this.#keepingBytes += bytes
    const put = async (): Promise<void> => {
      for (const [offset, chunk] of chunks) {
        await this.#cache.put(this.#name(fileId), offset, chunk, { replace })
      }
      this.#keepingBytes -= bytes
    }
    const writer = this.#nextWriter++ % WRITERS
    const kept = (this.#writers[writer] ?? Promise.resolve()).then(put)
    this.#writers[writer] = kept
    return this.#track(kept)
  }

  /**
   * Forgets a file that the database has no longer, and of which nothing more is kept from now on.
   */
  evict(fileId: string): void {
    const evict = async (): Promise<void> => {
      await this.settled()
      await this.#cache.evictFile(this.#name(fileId))
    }
    void this.#track(evict())
  }

  /** Forgets everything in the directory. */
  async clear(): Promise<void> {
    await this.settled()
    await this.#cache.clear()
  }

  /** Resolves when what is under way now is over: chunks are on disk, or won't be. */
  async settled(): Promise<void> {
    await Promise.all(this.#working)
  }

  stats(): DiskCacheStats {
    return this.#cache.stats()
  }

  /** What was read so far gets to the disk first. */
  async close(): Promise<void> {
    await this.settled()
    await this.#cache.close()
  }

  /** So that another database's chunks in the directory are never taken for this one's. */
  #name(fileId: string): string {
    return `${this.#incarnation}-${fileId}`
  }

  #track(work: Promise<void>): Promise<void> {
    this.#working.add(work)
    void work.then(() => this.#working.delete(work))
    return work
  }
}
