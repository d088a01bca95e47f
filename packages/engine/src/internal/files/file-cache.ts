import type { BlockCache, Reservation } from '@firn/block-cache'
import { ClosedError, Flight, isFirnError, waitFor } from '@firn/env'
import { type FileMeta, sstKey } from '@firn/manifest'
import type { ObjectStore } from '@firn/object-store'
import { SstReader, type WarmedBlocks, type WarmOptions } from '@firn/sst'
import { storeFiles } from '@firn/sst/store'
import type { DiskTier } from './disk-tier.js'
import { TieredSource } from './tiered-source.js'

/** One SST of the view. Shared by all views that hold the file. */
export class OpenFile {
  readonly meta: FileMeta
  /** Present while index and filter are in memory. */
  reader: SstReader | undefined
  /** How many views hold the file. */
  references = 0
  /** The state has let go of the file: its object goes when the last view does. */
  obsolete = false

  /**
   * How many wait to enter. Until they have, the file isn't closed to make room: two that are
   * opened at once would close each other for ever.
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

  /** Reads index and filter, once for all who wait. Throws `CorruptionError` for a damaged file. */
  open(): Promise<SstReader> {
    const work = (signal: AbortSignal | undefined): Promise<SstReader> =>
      this.#open(signal).finally(() => {
        this.#opening = undefined
      })
    this.#opening ??= new Flight(work, { abortable: true })
    return this.#opening.join()
  }

  /**
   * The reader, opened if need be, for work that waits for I/O: it stays open until `leave`, even
   * where the file is forgotten meanwhile. At the signal it isn't waited for any more: others may.
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

  /** As `enter`, where the reader is open. */
  tryEnter(): SstReader | undefined {
    const { reader } = this
    if (reader !== undefined) this.#users.set(reader, (this.#users.get(reader) ?? 0) + 1)
    return reader
  }

  /** Ends what `enter` began. */
  leave(reader: SstReader): void {
    const users = (this.#users.get(reader) ?? 0) - 1
    if (users > 0) this.#users.set(reader, users)
    else {
      this.#users.delete(reader)
      if (this.reader !== reader) reader.close()
    }
  }

  /** Brings the blocks that may hold keys from `first` to `last` into the caches. */
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
        // A store that is quicker than the disk would have it leave out chunks.
        if (disk !== undefined) await waitFor(disk.settled(), signal)
        yield read
      }
    } finally {
      this.leave(reader)
    }
  }

  /** Forgets index, filter and cached blocks, as soon as nobody is at work with them. */
  close(): void {
    const { reader } = this
    this.reader = undefined
    this.#reservation?.release()
    this.#reservation = undefined
    if (reader !== undefined && !this.#users.has(reader)) reader.close()
  }

  /** The last view has let go of it: nobody waits for its opening any more. */
  abandon(): void {
    this.#opening?.abort(letGo())
  }

  async #open(signal: AbortSignal | undefined): Promise<SstReader> {
    const { store, incarnation, cache, disk } = this.#files
    const { id, bytes, tailBytes, commitFile, minTimestamp } = this.meta
    const stored = storeFiles(store, (file) => sstKey(incarnation, file)).openSource(this.meta)
    const source =
      disk === undefined
        ? stored
        : new TieredSource(stored, disk, this.meta, () => this.references > 0)
    const reader = await SstReader.open(source, {
      fileId: id,
      size: bytes,
      tailBytes,
      cache,
      ...(signal && { signal }),
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
  return new ClosedError('the file was let go of while it was opened')
}

/**
 * The files that views hold, each opened at most once. Readers take at most half of the cache's
 * budget; past that, those that were opened first are closed, and opened again when needed.
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
  /** Files that could not be deleted. Those that are left when the process ends are orphans. */
  readonly #left: Set<string> = new Set()

  constructor(options: {
    store: ObjectStore
    incarnation: string
    cache: BlockCache
    /** Closed with the table. */
    disk: DiskTier | undefined
    /**
     * Whether files that nobody holds any more may be deleted: only where no other process reads.
     */
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

  /** Whether a view holds the file: the present one, or that of a snapshot. */
  holds(id: string): boolean {
    return this.#handles.has(id)
  }

  /** The handle of a file, with one more reference. */
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

  /** The state holds these files no longer. */
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

  /** Waits for deletions under way, then closes every reader and the disk's cache. */
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

  /** Tries again what could not be deleted, one file after the other, as long as that succeeds. */
  #deleteNextLeft(): void {
    for (const id of this.#left) {
      this.#left.delete(id)
      this.#delete(id)
      return
    }
  }
}
