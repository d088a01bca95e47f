import type { BlockCache, Reservation } from '@firn/block-cache'
import { ClosedError, Flight, isFirnError, waitFor } from '@firn/env'
import { type FileMeta, sstKey } from '@firn/manifest'
import type { ObjectStore } from '@firn/object-store'
import { SstReader, type WarmedBlocks, type WarmOptions } from '@firn/sst'
import type { DiskTier } from './disk-tier.js'
import { storedFiles } from './stored-files.js'
import { TieredSource } from './tiered-source.js'

/** An SST, shared by all views that hold it. */
export class OpenFile {
  readonly meta: FileMeta
  /** Present while index and filter are in memory. */
  reader: SstReader | undefined
  /** Number of views that hold the file. */
  references = 0
  /**
   * True if the state no longer has the file: its object is deleted when the last view releases it.
   */
  obsolete = false

  /**
   * Number of calls waiting to enter. Until they have, the file isn't closed to make room: two
   * files opened at once would otherwise close each other forever.
   */
  awaited = 0
  readonly #files: FileCache
  readonly #users: Map<SstReader, number> = new Map()
  #opening: Flight<SstReader> | undefined
  #reservation: Reservation | undefined

  constructor(meta: FileMeta, files: FileCache) {
    this.meta = meta
    this.#files = files
  }

  /** Reads index and filter, once for all callers. Throws `CorruptionError` for a damaged file. */
  open(): Promise<SstReader> {
    const work = (signal: AbortSignal | undefined): Promise<SstReader> =>
      this.#open(signal).finally(() => {
        this.#opening = undefined
      })
    this.#opening ??= new Flight(work, { abortable: true })
    return this.#opening.join()
  }

  /**
   * Returns the reader, opening it if needed, for work that waits for I/O: it stays open until
   * `leave`, even if the file is dropped meanwhile. The signal ends only this caller's wait: others
   * may wait too.
   */
  async enter(signal?: AbortSignal): Promise<SstReader> {
    this.awaited++
    try {
      while (this.reader === undefined) await waitFor(this.open(), signal)
      return this.tryEnter() as SstReader
    } finally {
      this.awaited--
    }
  }

  /** Enters if the reader is open. */
  tryEnter(): SstReader | undefined {
    const { reader } = this
    if (reader !== undefined) this.#users.set(reader, (this.#users.get(reader) ?? 0) + 1)
    return reader
  }

  /** Leaves the reader that `enter` returned. */
  leave(reader: SstReader): void {
    const users = (this.#users.get(reader) ?? 0) - 1
    if (users > 0) this.#users.set(reader, users)
    else {
      this.#users.delete(reader)
      if (this.reader !== reader) reader.close()
    }
  }

  /** Loads the blocks that may hold keys from `first` to `last` into the caches. */
  async *warm(
    first: Uint8Array,
    last: Uint8Array,
    options: WarmOptions,
  ): AsyncGenerator<WarmedBlocks, void, undefined> {
    const { disk } = this.#files
    const { signal } = options
    const reader = await this.enter(signal)
    try {
      for await (const read of reader.warm(first, last, options)) {
        // Otherwise, if the store is faster than the disk, chunks would be left out.
        if (disk !== undefined) await waitFor(disk.settled(), signal)
        yield read
      }
    } finally {
      this.leave(reader)
    }
  }

  /** Drops index, filter and cached blocks as soon as no work uses them. */
  close(): void {
    const { reader } = this
    this.reader = undefined
    this.#reservation?.release()
    this.#reservation = undefined
    if (reader !== undefined && !this.#users.has(reader)) reader.close()
  }

  /** Called when the last view has released the file: no caller waits for its opening any more. */
  abandon(): void {
    this.#opening?.abort(letGo())
  }

  async #open(signal: AbortSignal | undefined): Promise<SstReader> {
    const { store, incarnation, cache, disk } = this.#files
    const { id, bytes, tailBytes, commitFile, minTimestamp } = this.meta
    const stored = storedFiles(store, incarnation).openSource(this.meta)
    const source =
      disk === undefined
        ? stored
        : new TieredSource(stored, disk, this.meta, () => this.references > 0)
    const reader = await SstReader.open(source, {
      fileId: id,
      size: bytes,
      tailBytes,
      cache,
      signal,
      ...(commitFile ? { timestamp: minTimestamp } : {}),
    })
    if (this.references === 0) {
      reader.close()
      throw letGo()
    }
    this.#reservation = cache.reserve(reader.memoryBytes)
    this.reader = reader
    this.#files.opened(this)
    return reader
  }
}

function letGo(): ClosedError {
  return new ClosedError('the file was released while it was being opened')
}

/**
 * The files that views hold, each opened at most once. Readers take at most half of the cache's
 * budget; past that, the files opened first are closed, and opened again when needed.
 */
export class FileCache {
  readonly store: ObjectStore
  readonly incarnation: string
  readonly cache: BlockCache
  readonly disk: DiskTier | undefined
  readonly #handles: Map<string, OpenFile> = new Map()
  // In order of opening.
  readonly #open: Set<OpenFile> = new Set()
  #readerBytes = 0
  readonly #deleteObsolete: boolean
  readonly #onDeleteFailed: (error: unknown) => void
  readonly #deletions: Set<Promise<void>> = new Set()
  /** Files that could not be deleted. If the process ends first, they become orphans. */
  readonly #left: Set<string> = new Set()

  constructor(options: {
    store: ObjectStore
    incarnation: string
    cache: BlockCache
    /** Closed with this cache. */
    disk: DiskTier | undefined
    /** Whether files without holders may be deleted: only if no other process reads. */
    deleteObsolete: boolean
    onDeleteFailed: (error: unknown) => void
  }) {
    this.store = options.store
    this.incarnation = options.incarnation
    this.cache = options.cache
    this.disk = options.disk
    this.#deleteObsolete = options.deleteObsolete
    this.#onDeleteFailed = options.onDeleteFailed
  }

  get openFiles(): number {
    return this.#open.size
  }

  get readerBytes(): number {
    return this.#readerBytes
  }

  /** Whether a view holds the file: the present one, or a snapshot's. */
  holds(id: string): boolean {
    return this.#handles.has(id)
  }

  /** Returns the handle of a file, with one more reference. */
  retain(meta: FileMeta): OpenFile {
    let handle = this.#handles.get(meta.id)
    if (handle === undefined) {
      handle = new OpenFile(meta, this)
      this.#handles.set(meta.id, handle)
    }
    handle.references++
    return handle
  }

  release(handle: OpenFile): void {
    if (--handle.references > 0) return
    this.#handles.delete(handle.meta.id)
    handle.abandon()
    this.#forget(handle)
    if (handle.obsolete) this.disk?.evict(handle.meta.id)
    if (handle.obsolete && this.#deleteObsolete) this.#delete(handle.meta.id)
  }

  /** Marks files that the state no longer has. */
  markObsolete(ids: Iterable<string>): void {
    for (const id of ids) {
      const handle = this.#handles.get(id)
      if (handle !== undefined) handle.obsolete = true
    }
  }

  opened(handle: OpenFile): void {
    this.#open.add(handle)
    this.#readerBytes += handle.reader?.memoryBytes ?? 0
    for (const oldest of this.#open) {
      if (this.#readerBytes <= this.cache.bytes / 2 || oldest === handle) break
      if (oldest.awaited === 0) this.#forget(oldest)
    }
  }

  /** Waits for running deletions, then closes every reader and the disk cache. */
  async close(): Promise<void> {
    while (this.#deletions.size > 0) await Promise.all(this.#deletions)
    for (const handle of [...this.#open]) this.#forget(handle)
    this.#handles.clear()
    await this.disk?.close()
  }

  #forget(handle: OpenFile): void {
    if (!this.#open.delete(handle)) return
    this.#readerBytes -= handle.reader?.memoryBytes ?? 0
    handle.close()
  }

  #delete(id: string): void {
    const deletion = this.store
      .delete(sstKey(this.incarnation, id))
      .then(
        () => this.#deleteNextLeft(),
        (error: unknown) => {
          if (isFirnError(error, 'FIRN_CLOSED')) return
          this.#left.add(id)
          this.#onDeleteFailed(error)
        },
      )
      .finally(() => this.#deletions.delete(deletion))
    this.#deletions.add(deletion)
  }

  /** Tries failed deletions again, one file after the other, while they succeed. */
  #deleteNextLeft(): void {
    for (const id of this.#left) {
      this.#left.delete(id)
      this.#delete(id)
      return
    }
  }
}
