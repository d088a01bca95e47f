import path from 'node:path'
import {
  codeOf,
  type File,
  type FileStatus,
  type FileSystem,
  isMissing,
  type ReadPace,
} from '@firn/vfs'
import { type ResolvedRange, resolveRange } from '../../byte-range.js'
import { ObjectNotFoundError, ObjectStoreError, PreconditionFailedError } from '../../errors.js'
import type { GetOptions, StoredObject } from '../../object-store.js'
import type { Directories } from './directories.js'
import { pathOf } from './file-names.js'
import { infoOf } from './file-status.js'
import { storeError } from './fs-errors.js'
import type { OpenFiles, OpenObject } from './open-files.js'

/** Longer reads go to the thread pool: copying them takes longer than asking a thread. */
const LONGEST_READ_IN_PLACE = 64 * 1024

/** The store's reading half: opens files, keeps those of immutable objects open, reads ranges. */
export class ObjectReader {
  readonly #files: FileSystem
  readonly #directories: Directories
  readonly #base: string
  readonly #handles: OpenFiles
  readonly #pace: ReadPace

  constructor(
    files: FileSystem,
    directories: Directories,
    base: string,
    handles: OpenFiles,
    pace: ReadPace,
  ) {
    this.#files = files
    this.#directories = directories
    this.#base = base
    this.#handles = handles
    this.#pace = pace
  }

  get(key: string, options: GetOptions): Promise<StoredObject> {
    const handle = options.immutable === true ? this.#handles.get(key) : undefined
    if (handle === undefined) return this.#openAndRead(key, options)
    return this.#read(key, handle, options)
  }

  /** Closes an object's open file: the object was deleted or replaced. */
  forget(key: string): void {
    this.#handles.drop(key)
  }

  close(): void {
    this.#handles.close()
  }

  async #openAndRead(key: string, options: GetOptions): Promise<StoredObject> {
    const opened = await this.#openObject(key)
    opened.users++
    try {
      if (options.immutable !== true) {
        opened.evicted = true
        // An immutable object is the same in a copy of the store; anything else isn't.
        this.#directories.assertInPlace()
        return await this.#read(key, opened, options)
      }
      return await this.#read(key, this.#handles.add(key, opened), options)
    } finally {
      this.#handles.release(opened)
    }
  }

  /**
   * Not `async`: reading an open file from the page cache creates one promise, already resolved.
   */
  #read(key: string, handle: OpenObject, options: GetOptions): Promise<StoredObject> {
    if (options.ifMatch !== undefined && options.ifMatch !== handle.etag) {
      return Promise.reject(new PreconditionFailedError(key, 'ifMatch'))
    }
    const range = resolveRange(options.range, handle.size)
    if (range.end - range.start > LONGEST_READ_IN_PLACE || !this.#pace.inPlace()) {
      return this.#readByThread(key, handle, range, options.signal)
    }
    try {
      const bytes = emptyBytes(range.end - range.start)
      const since = this.#pace.now()
      for (let at = 0; at < bytes.length; ) {
        const read = handle.file.readSync(at === 0 ? bytes : bytes.subarray(at), range.start + at)
        if (read === 0) throw shorterThanOpened(key)
        at += read
      }
      this.#pace.took(since)
      const { size, etag } = handle
      return Promise.resolve({ key, size, etag, bytes, offset: range.start })
    } catch (error) {
      return Promise.reject(this.#readFailed(key, error))
    }
  }

  async #readByThread(
    key: string,
    handle: OpenObject,
    range: ResolvedRange,
    signal: AbortSignal | undefined,
  ): Promise<StoredObject> {
    handle.users++
    try {
      const bytes = emptyBytes(range.end - range.start)
      for (let at = 0; at < bytes.length; ) {
        const read = await handle.file.read(at === 0 ? bytes : bytes.subarray(at), range.start + at)
        signal?.throwIfAborted()
        if (read === 0) throw shorterThanOpened(key)
        at += read
      }
      return { key, size: handle.size, etag: handle.etag, bytes, offset: range.start }
    } catch (error) {
      throw signal?.aborted === true ? error : this.#readFailed(key, error)
    } finally {
      this.#handles.release(handle)
    }
  }

  #readFailed(key: string, error: unknown): unknown {
    // The next read opens the file again.
    this.#handles.drop(key)
    return storeError(error, { doing: `reading object '${key}'`, directory: this.#base })
  }

  async #openObject(key: string): Promise<OpenObject> {
    const name = pathOf(this.#base, key)
    let file: File | undefined
    try {
      this.#directories.assertInside(path.dirname(name))
      let status: FileStatus
      if (this.#pace.inPlace()) {
        const since = this.#pace.now()
        file = this.#withDescriptorsSync(() => this.#files.openSync(name, 'read'))
        status = file.statusSync()
        this.#pace.took(since)
      } else {
        file = await this.withDescriptors(() => this.#files.open(name, 'read'))
        status = await file.status()
      }
      if (!status.isFile()) throw new ObjectNotFoundError(key)
      const { size, etag } = infoOf(key, status)
      return { file, size, etag, users: 0, touched: false, evicted: false }
    } catch (error) {
      file?.closeSync()
      if (isMissing(error)) {
        this.#directories.assertInPlace()
        throw new ObjectNotFoundError(key, { cause: error })
      }
      throw storeError(error, { doing: `opening object '${key}'`, directory: this.#base })
    }
  }

  /** The status of an object's file; `undefined` if there is none. */
  async status(key: string, file: string, check: boolean): Promise<FileStatus | undefined> {
    try {
      if (check) this.#directories.assertInside(path.dirname(file))
      let status: FileStatus
      if (this.#pace.inPlace()) {
        const since = this.#pace.now()
        status = this.#files.statusSync(file)
        this.#pace.took(since)
      } else status = await this.#files.status(file)
      return status.isFile() ? status : undefined
    } catch (error) {
      if (isMissing(error)) {
        this.#directories.assertInPlace()
        return undefined
      }
      throw storeError(error, { doing: `looking up object '${key}'`, directory: this.#base })
    }
  }

  /**
   * Runs a call that opens a file. If there is no descriptor left, closes the files kept for reads
   * and runs it once more.
   */
  async withDescriptors<T>(open: () => Promise<T>): Promise<T> {
    try {
      return await open()
    } catch (error) {
      if (codeOf(error) !== 'EMFILE' || this.#handles.clear() === 0) throw error
      return open()
    }
  }

  #withDescriptorsSync<T>(open: () => T): T {
    try {
      return open()
    } catch (error) {
      if (codeOf(error) !== 'EMFILE' || this.#handles.clear() === 0) throw error
      return open()
    }
  }
}

function shorterThanOpened(key: string): ObjectStoreError {
  return new ObjectStoreError(
    `object '${key}' ends before the size its file had when it was opened; something other than ` +
      'the store cut it',
    { reason: 'bad-reply', retryable: true },
  )
}

/** Memory that the read overwrites; zeroing it first would cost a third of a short read. */
function emptyBytes(length: number): Uint8Array {
  const { buffer } = Buffer.allocUnsafeSlow(length)
  return new Uint8Array(buffer, 0, length)
}
