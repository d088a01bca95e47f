import { join } from 'node:path'
import { type Env, InvalidArgumentError, systemEnv, ulid } from '@firn/env'
import { absolutePath, type FileSystem, nodeFileSystem } from '@firn/vfs'
import {
  decodeEntry,
  directoryNameOf,
  encodeHeader,
  entryNameOf,
  entryOf,
  fileIdOf,
  HEADER_BYTES,
  MAX_CONTENT_BYTES,
} from './internal/disk/entry-format.js'
import { type DiskEntry, EntryIndex } from './internal/disk/entry-index.js'

export interface DiskCacheOptions {
  /** A directory for this cache alone; created if missing. */
  directory: string
  /** Most bytes that its files may have in total. */
  bytes: number
  env?: Env
  /** Default: the system's. */
  fileSystem?: FileSystem
}

export interface DiskCacheStats {
  hits: number
  misses: number
  /** Existing entries that failed their check or couldn't be read. They are removed. */
  damaged: number
  writes: number
  /**
   * Puts that were dropped: the disk is full, or other puts under way were too many or too large.
   */
  failedWrites: number
  evictions: number
  entries: number
  usedBytes: number
  bytes: number
}

const TEMP_PREFIX = 'tmp-'
/** Most puts under way; further ones are dropped: a cache need not keep up with everything. */
const MAX_WRITES = 32
/** How long the disk is left alone after a failed write. */
const COOL_DOWN_MS = 5000

/**
 * Blocks of remote files on a local disk. Nothing in it is ever needed: a missing, truncated,
 * damaged, misplaced or unreadable entry, a full or absent disk are misses, never errors, and never
 * wrong bytes. Survives restarts. Meant for one process at a time; a second one in the same
 * directory does no harm except to the budget.
 */
export class DiskCache {
  readonly #directory: string
  readonly #bytes: number
  readonly #env: Env
  readonly #files: FileSystem
  readonly #index = new EntryIndex()
  /** Writes under way, by place. */
  readonly #writing: Map<string, Promise<void>> = new Map()
  /** Evictions under way, by file: a write of the file waits for them. */
  readonly #evicting: Map<string, Promise<void>> = new Map()
  #opening: Promise<void> | undefined
  #coldUntil = Number.NEGATIVE_INFINITY
  #closed = false
  #hits = 0
  #misses = 0
  #damaged = 0
  #writes = 0
  #failedWrites = 0
  #evictions = 0

  /**
   * Throws `InvalidArgumentError` if the budget is not a number ≥ 0 or the directory is empty.
   */
  constructor(options: DiskCacheOptions) {
    const { directory, bytes, env = systemEnv, fileSystem = nodeFileSystem } = options
    this.#directory = absolutePath(directory, 'the directory of a disk cache')
    if (!(bytes >= 0 && bytes <= Number.MAX_SAFE_INTEGER)) {
      throw new InvalidArgumentError(`a disk cache can't have ${bytes} bytes`)
    }
    this.#bytes = bytes
    this.#env = env
    this.#files = fileSystem
  }

  /**
   * Returns the bytes at a place of a file, or `undefined`. The caller owns the array. Never
   * rejects.
   */
  async get(fileId: string, offset: number, length: number): Promise<Uint8Array | undefined> {
    await this.#open()
    const entry = this.#index.find(fileId, offset)
    const isThere = entry !== undefined && !this.#writing.has(placeOf(entry))
    if (!isThere || entry.length < length || this.#closed) {
      this.#misses++
      return undefined
    }
    const content = await this.#read(entry)
    if (content === undefined) {
      this.#misses++
      // An entry evicted or replaced meanwhile isn't damaged, and its name may now be another
      // entry's.
      if (this.#index.find(fileId, offset) !== entry) return undefined
      this.#damaged++
      await this.#discard(entry)
      return undefined
    }
    entry.used = true
    this.#hits++
    return content.length === length ? content : content.subarray(0, length)
  }

  /**
   * Stores the bytes at a place of a file, which must be immutable under its id. Resolves once they
   * are stored or dropped; the array must stay unchanged until then. Never rejects.
   *
   * An existing entry stays, unless it is shorter, or `replace` says that it was wrong.
   */
  async put(
    fileId: string,
    offset: number,
    bytes: Uint8Array,
    options: { replace?: boolean } = {},
  ): Promise<void> {
    await this.#open()
    const directory = directoryNameOf(fileId)
    const size = HEADER_BYTES + bytes.length
    if (directory === undefined || size > this.#bytes || bytes.length > MAX_CONTENT_BYTES) return
    if (!Number.isSafeInteger(offset) || offset < 0) return
    const { length } = bytes
    const entry: DiskEntry = { fileId, offset, length, size, used: false, written: false }
    const place = placeOf(entry)
    // Otherwise the entry could be removed with the file's directory.
    while (this.#evicting.has(fileId)) await this.#evicting.get(fileId)
    if (options.replace === true) await this.#drop(fileId, offset)
    if (this.#closed) return
    const known = this.#index.find(fileId, offset)
    if (known !== undefined && known.length >= bytes.length) return
    if (this.#writing.has(place)) return
    if (this.#writing.size >= MAX_WRITES || this.#env.monotonic() < this.#coldUntil) {
      this.#failedWrites++
      return
    }
    const write = this.#write(directory, entry, bytes)
    this.#writing.set(place, write)
    try {
      await write
    } finally {
      this.#writing.delete(place)
    }
  }

  /** Forgets a file that was deleted. Never rejects. */
  async evictFile(fileId: string): Promise<void> {
    await this.#open()
    const directory = directoryNameOf(fileId)
    if (directory === undefined) return
    const eviction = this.#evict(fileId, join(this.#directory, directory))
    this.#evicting.set(fileId, eviction)
    await eviction
    if (this.#evicting.get(fileId) === eviction) this.#evicting.delete(fileId)
  }

  /** Forgets everything. Never rejects. */
  async clear(): Promise<void> {
    await this.#open()
    await Promise.all(this.#index.fileIds().map((fileId) => this.evictFile(fileId)))
  }

  /** Waits for writes under way. Entries stay for the next cache on the directory. */
  async close(): Promise<void> {
    this.#closed = true
    await this.#opening
    await Promise.all(this.#writing.values())
  }

  stats(): DiskCacheStats {
    return {
      hits: this.#hits,
      misses: this.#misses,
      damaged: this.#damaged,
      writes: this.#writes,
      failedWrites: this.#failedWrites,
      evictions: this.#evictions,
      entries: this.#index.length,
      usedBytes: this.#index.bytes,
      bytes: this.#bytes,
    }
  }

  #open(): Promise<void> {
    this.#opening ??= this.#scan()
    return this.#opening
  }

  /**
   * Finds the entries of an earlier process. Names hold all that the index needs; contents are
   * checked when they are read.
   */
  async #scan(): Promise<void> {
    for (const name of await this.#list(this.#directory)) {
      const path = join(this.#directory, name)
      if (name.startsWith(TEMP_PREFIX)) await this.#remove(path)
      const fileId = fileIdOf(name)
      if (fileId === undefined) continue
      for (const entryName of await this.#list(path)) {
        const place = entryOf(entryName)
        if (place === undefined) continue
        const known = this.#index.find(fileId, place.offset)
        if (known !== undefined) {
          await this.#remove(join(path, entryName))
          continue
        }
        const size = HEADER_BYTES + place.length
        this.#index.add({ fileId, ...place, size, used: false, written: true })
      }
    }
    await this.#makeRoom()
  }

  async #evict(fileId: string, directory: string): Promise<void> {
    const forget = (): void => {
      for (const entry of this.#index.entriesOf(fileId)) this.#index.remove(entry)
    }
    forget()
    // A write that is under way may add an entry, and create the directory again.
    const writes = [...this.#writing].filter(([place]) => place.startsWith(`${fileId}@`))
    await Promise.all(writes.map(([, write]) => write))
    forget()
    await this.#remove(directory)
  }

  async #list(directory: string): Promise<string[]> {
    try {
      return (await this.#files.list(directory)).map(({ name }) => name)
    } catch {
      return []
    }
  }

  async #read(entry: DiskEntry): Promise<Uint8Array | undefined> {
    try {
      const bytes = await this.#files.readFile(this.#pathOf(entry), 0, entry.size)
      return decodeEntry(bytes, entry.fileId, entry.offset, entry.length)
    } catch {
      return undefined
    }
  }

  async #write(directoryName: string, entry: DiskEntry, bytes: Uint8Array): Promise<void> {
    const temp = join(this.#directory, `${TEMP_PREFIX}${ulid(this.#env)}`)
    const shorter = this.#index.find(entry.fileId, entry.offset)
    if (shorter !== undefined) await this.#discard(shorter)
    // Counted before it is written: writes under way share the budget.
    this.#index.add(entry)
    const isWanted = () => this.#index.find(entry.fileId, entry.offset) === entry
    if (!(await this.#makeRoom())) {
      this.#failedWrites++
      this.#index.remove(entry)
      return
    }
    try {
      const header = encodeHeader(entry.fileId, entry.offset, bytes)
      await this.#files.makeDirectories(join(this.#directory, directoryName))
      await this.#files.createFile(temp, [header, bytes])
      await this.#files.rename(temp, this.#pathOf(entry))
      entry.written = true
      this.#writes++
      // Its file may have been evicted before it was written.
      if (!isWanted()) await this.#remove(this.#pathOf(entry))
    } catch {
      this.#failedWrites++
      if (isWanted()) this.#coldUntil = this.#env.monotonic() + COOL_DOWN_MS
      this.#index.remove(entry)
      await this.#remove(temp)
    }
  }

  /** Evicts until the budget holds; false if the entries being written alone exceed it. */
  async #makeRoom(): Promise<boolean> {
    while (this.#index.bytes > this.#bytes) {
      const oldest = this.#index.takeOldest()
      if (oldest === undefined) return false
      this.#evictions++
      await this.#remove(this.#pathOf(oldest))
    }
    return true
  }

  /** Removes the entry at a place, even one still being written. */
  async #drop(fileId: string, offset: number): Promise<void> {
    for (;;) {
      await this.#writing.get(placeOf({ fileId, offset }))
      const known = this.#index.find(fileId, offset)
      if (known === undefined) return
      await this.#discard(known)
    }
  }

  async #discard(entry: DiskEntry): Promise<void> {
    this.#index.remove(entry)
    await this.#remove(this.#pathOf(entry))
  }

  async #remove(path: string): Promise<void> {
    try {
      await this.#files.removeAll(path)
    } catch {
      // It stays until the directory is scanned again.
    }
  }

  #pathOf({ fileId, offset, length }: DiskEntry): string {
    // The index only takes ids that have a directory.
    return join(this.#directory, directoryNameOf(fileId) as string, entryNameOf(offset, length))
  }
}

function placeOf({ fileId, offset }: Pick<DiskEntry, 'fileId' | 'offset'>): string {
  return `${fileId}@${offset}`
}
