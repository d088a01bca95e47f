import type { DiskCache, DiskCacheStats } from '@firn/block-cache/disk'

/** Chunks of a file by their offsets. */
export type Chunks = ReadonlyMap<number, Uint8Array>

/**
 * Size of a chunk that the disk cache keeps: with the header of the cache's entries, 64 KiB. A cold
 * point read fetches a chunk from the store instead of a block of 8 KiB: some 0.6 ms more at 100
 * MB/s, while the request itself takes some 20. It brings seven neighbours along. Reading such an
 * entry back takes 0.10 ms, one of 32 KiB 0.07 and one of 128 KiB 0.13. Small ones are slow to
 * write (17 MB/s at 8 KiB, 156 at 32, 186 at 64, 225 at 128), and opening has to find many of them.
 */
export const CHUNK_BYTES: number = 64 * 1024 - 64

/**
 * Bytes that may be on their way to the disk, unless one read alone exceeds it. Chunks beyond that
 * aren't kept: a disk slower than the store mustn't fill memory.
 */
const MAX_KEEPING_BYTES = 16 * 1024 * 1024

/** Number of chunks written at a time: more would block reads in Node's four threads. */
const WRITERS = 2

/** The disk cache of a database: chunks of its SSTs, which `TieredSource` reads through. */
export class DiskTier {
  readonly #cache: DiskCache
  readonly #incarnation: string
  readonly #working: Set<Promise<void>> = new Set()
  /** The queue of each writer, as a promise of its last task. */
  readonly #writers: Promise<void>[] = []
  #nextWriter = 0
  #keepingBytes = 0

  /** Takes over the cache: `close` closes it. */
  constructor(cache: DiskCache, incarnation: string) {
    this.#cache = cache
    this.#incarnation = incarnation
  }

  /** Returns a chunk if it is on disk, complete and undamaged. */
  get(fileId: string, offset: number, length: number): Promise<Uint8Array | undefined> {
    return this.#cache.get(this.#name(fileId), offset, length)
  }

  /** Writes chunks to disk when it is their turn. Resolves when that is over, and never rejects. */
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

  /** Removes the chunks of a file that the database no longer has, and keeps no more of it. */
  evict(fileId: string): void {
    const evict = async (): Promise<void> => {
      await this.settled()
      await this.#cache.evictFile(this.#name(fileId))
    }
    void this.#track(evict())
  }

  /** Removes everything in the directory. */
  async clear(): Promise<void> {
    await this.settled()
    await this.#cache.clear()
  }

  /** Resolves when the chunks now under way are on disk or dropped. */
  async settled(): Promise<void> {
    await Promise.all(this.#working)
  }

  stats(): DiskCacheStats {
    return this.#cache.stats()
  }

  /** Writes what was read so far to disk first. */
  async close(): Promise<void> {
    await this.settled()
    await this.#cache.close()
  }

  /**
   * Includes the database's id, so that another database's chunks in the directory are never used
   * for this one.
   */
  #name(fileId: string): string {
    return `${this.#incarnation}-${fileId}`
  }

  #track(work: Promise<void>): Promise<void> {
    this.#working.add(work)
    void work.then(() => this.#working.delete(work))
    return work
  }
}
