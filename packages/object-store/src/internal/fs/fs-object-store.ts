import { constants } from 'node:fs'
import path from 'node:path'
import { type Env, InvalidArgumentError, systemEnv } from '@firn/env'
import { BaseObjectStore } from '../../base-object-store.js'
import { type ResolvedRange, resolveRange } from '../../byte-range.js'
import { ObjectNotFoundError, ObjectStoreError, PreconditionFailedError } from '../../errors.js'
import type {
  CallOptions,
  GetOptions,
  ListOptions,
  ObjectInfo,
  PutOptions,
  StoredObject,
  UploadOptions,
} from '../../object-store.js'
import type { UploadSink } from '../../upload-session.js'
import { Directories } from './directories.js'
import { type FileHandle, FileHandles } from './file-handles.js'
import { nameOf } from './file-names.js'
import { type FileStatus, type FileSystem, nodeFileSystem } from './file-system.js'
import { codeOf, storeError } from './fs-errors.js'
import { listKeys } from './object-listing.js'
import { ReadPace } from './read-pace.js'
import { StoreLock } from './store-lock.js'
import { type TempFile, TempFiles } from './temp-files.js'

export interface FsObjectStoreOptions {
  env?: Env
  /**
   * Whether writes are on the device when they resolve. Default true. Without, a crash of the
   * system (not one of the process) may lose the latest writes or leave them empty: for tests, and
   * for what can be made again.
   */
  fsync?: boolean
  /** Files of immutable objects that are kept open. Default 128. */
  openFiles?: number
  /**
   * How short reads are made. 'adaptive', the default: in place, blocking the event loop for a few
   * microseconds each, as long as the file system answers from memory, else by the thread pool.
   * 'threads': always by the thread pool; for network file systems that may hang.
   */
  reads?: 'adaptive' | 'threads'
  /** The system calls to use. Default: the real ones. */
  fileSystem?: FileSystem
}

/** Longer reads go to the thread pool: copying them takes longer than asking a thread. */
const LONGEST_READ_IN_PLACE = 64 * 1024
const LIST_PAGE = 64
const DELETE_PAGE = 256
// NOFOLLOW: an object is no symbolic link. NONBLOCK: opening a foreign pipe must not wait for its
// other end. Both are unknown to Windows.
const READ_FLAGS = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0)

/**
 * Objects as files of one directory, for any number of processes on one file system. FORMAT.md says
 * how keys become paths, README.md what is guaranteed.
 *
 * A write: (1) a file in `,tmp`, (2) its bytes, a modification time of its own, fsync, (3) `link` to
 * the object's name, which fails where there is one and so decides all races of `ifAbsent`, or, where
 * an object is replaced, `rename` under the `StoreLock`, so that what `ifMatch` saw still holds, (4)
 * fsync of the directory.
 *
 * An etag is inode number, modification time and size: every write makes a new inode, and under the
 * lock the modification time of a replacement is made greater than the one before.
 */
export class FsObjectStore extends BaseObjectStore {
  /** The directory as an absolute path: enough for another thread to open the same store. */
  readonly directory: string
  readonly #files: FileSystem
  readonly #fsync: boolean
  readonly #directories: Directories
  readonly #temps: TempFiles
  readonly #lock: StoreLock
  readonly #handles: FileHandles
  readonly #pace: ReadPace
  /** False once the file system has refused to make a hard link. */
  #canLink = true

  constructor(directory: string, options: FsObjectStoreOptions = {}) {
    super()
    if (typeof directory !== 'string' || directory === '' || directory.includes('\0')) {
      throw new InvalidArgumentError('a filesystem store needs the path of a directory')
    }
    const { openFiles = 128, reads = 'adaptive' } = options
    if (!Number.isSafeInteger(openFiles) || openFiles < 1) {
      throw new InvalidArgumentError(`openFiles is a whole number, 1 or more, got ${openFiles}`)
    }
    const env = options.env ?? systemEnv
    this.directory = path.resolve(directory)
    this.#files = options.fileSystem ?? nodeFileSystem
    this.#directories = new Directories(this.#files, this.directory, options.fsync ?? true)
    this.#temps = new TempFiles(this.#files, env, this.#directories, this.directory)
    this.#lock = new StoreLock(this.#files, env, this.#directories, this.directory)
    this.#handles = new FileHandles(this.#files, openFiles)
    this.#pace = new ReadPace(env, reads === 'threads')
    this.#fsync = options.fsync ?? true
  }

  protected override _get(key: string, options: GetOptions): Promise<StoredObject> {
    const handle = options.immutable === true ? this.#handles.get(key) : undefined
    if (handle === undefined) return this.#openAndRead(key, options)
    return this.#read(key, handle, options)
  }

  protected override async _head(
    key: string,
    options: CallOptions,
  ): Promise<ObjectInfo | undefined> {
    const file = this.#pathOf(key)
    const status = await this.#statusOf(key, file, true)
    options.signal?.throwIfAborted()
    return status === undefined ? undefined : infoOf(key, status)
  }

  protected override async _put(
    key: string,
    bytes: Uint8Array,
    options: PutOptions,
  ): Promise<{ etag: string }> {
    // Whoever has lost already need not write and sync a file to find that out.
    await this.#assertCondition(key, this.#pathOf(key), options)
    const writing = await this._upload(key, options)
    try {
      await writing.write(bytes)
      const { etag } = await writing.finish()
      return { etag }
    } catch (error) {
      await writing.abort()
      throw error
    }
  }

  protected override async _delete(keys: readonly string[], options: CallOptions): Promise<void> {
    const files = keys.map((key) => this.#pathOf(key))
    try {
      if (!(await this.#anyExists(files))) return
      const touched = new Set<string>()
      for (let at = 0; at < files.length; at += DELETE_PAGE) {
        await this.#lock.hold(options.signal, async (assertHeld) => {
          assertHeld()
          for (let i = at; i < Math.min(at + DELETE_PAGE, files.length); i++) {
            const file = files[i] ?? ''
            this.#handles.drop(keys[i] ?? '')
            if (await this.#unlinkObject(file)) touched.add(path.dirname(file))
          }
        })
      }
      for (const directory of touched) await this.#directories.sync(directory)
    } catch (error) {
      throw storeError(error, `deleting ${keys.length} object(s)`)
    }
  }

  protected override async *_list(options: ListOptions): AsyncIterable<ObjectInfo> {
    const { limit = Number.POSITIVE_INFINITY } = options
    let left = limit
    let page: string[] = []
    try {
      for await (const key of listKeys(this.#files, this.#directories, this.directory, options)) {
        page.push(key)
        if (page.length < Math.min(LIST_PAGE, left)) continue
        for (const info of await this.#infosOf(page)) {
          yield info
          left--
        }
        page = []
        if (left === 0) return
      }
      yield* await this.#infosOf(page)
    } catch (error) {
      throw storeError(error, 'listing objects')
    }
  }

  protected override async _upload(key: string, options: UploadOptions): Promise<UploadSink> {
    const file = this.#pathOf(key)
    const doing = `writing object '${key}'`
    const temp = await this.#typed(doing, () => this.#withDescriptors(() => this.#temps.create()))
    let size = 0
    return {
      write: (bytes) =>
        this.#typed(doing, async () => {
          options.signal?.throwIfAborted()
          await this.#temps.write(temp, bytes, size)
          size += bytes.length
        }),
      finish: () =>
        this.#typed(doing, async () => {
          const status = this.#temps.stamp(temp)
          if (this.#fsync) await this.#files.fsync(temp.fd)
          await this.#temps.close(temp)
          options.signal?.throwIfAborted()
          return { etag: await this.#publish(temp, status, key, file, options), size }
        }),
      abort: () => this.#temps.discard(temp),
    }
  }

  protected override async _close(): Promise<void> {
    this.#handles.close()
  }

  #pathOf(key: string): string {
    const segments = key.split('/')
    const last = segments.length - 1
    let file = this.directory
    for (let i = 0; i < last; i++) file += path.sep + nameOf(segments[i] ?? '', 'directory')
    return file + path.sep + nameOf(segments[last] ?? '', 'file')
  }

  // --- reading ---------------------------------------------------------------------------------

  async #openAndRead(key: string, options: GetOptions): Promise<StoredObject> {
    const opened = await this.#openObject(key)
    opened.users++
    try {
      if (options.immutable !== true) {
        opened.evicted = true
        return await this.#read(key, opened, options)
      }
      return await this.#read(key, this.#handles.add(key, opened), options)
    } finally {
      this.#handles.release(opened)
    }
  }

  /** Not `async`: the hit of an open file in the page cache makes one promise, an answered one. */
  #read(key: string, handle: FileHandle, options: GetOptions): Promise<StoredObject> {
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
        const left = bytes.length - at
        const read = this.#files.readSync(handle.fd, bytes, at, left, range.start + at)
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
    handle: FileHandle,
    range: ResolvedRange,
    signal: AbortSignal | undefined,
  ): Promise<StoredObject> {
    handle.users++
    try {
      const bytes = emptyBytes(range.end - range.start)
      for (let at = 0; at < bytes.length; ) {
        const left = bytes.length - at
        const read = await this.#files.read(handle.fd, bytes, at, left, range.start + at)
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
    // The next read opens the file anew.
    this.#handles.drop(key)
    return storeError(error, `reading object '${key}'`)
  }

  async #openObject(key: string): Promise<FileHandle> {
    const file = this.#pathOf(key)
    let fd = -1
    try {
      this.#directories.assertInside(path.dirname(file))
      let status: FileStatus
      if (this.#pace.inPlace()) {
        const since = this.#pace.now()
        fd = this.#withDescriptorsSync(() => this.#files.openSync(file, READ_FLAGS))
        status = this.#files.fstatSync(fd)
        this.#pace.took(since)
      } else {
        fd = await this.#withDescriptors(() => this.#files.open(file, READ_FLAGS))
        status = await this.#files.fstat(fd)
      }
      if (!status.isFile()) throw new ObjectNotFoundError(key)
      const { size, etag } = infoOf(key, status)
      return { fd, size, etag, users: 0, touched: false, evicted: false }
    } catch (error) {
      if (fd >= 0) this.#files.closeSync(fd)
      if (meansMissing(error)) throw new ObjectNotFoundError(key, { cause: error })
      throw storeError(error, `opening object '${key}'`)
    }
  }

  /** The status of an object's file; `undefined` where there is none. */
  async #statusOf(key: string, file: string, check: boolean): Promise<FileStatus | undefined> {
    try {
      if (check) this.#directories.assertInside(path.dirname(file))
      let status: FileStatus
      if (this.#pace.inPlace()) {
        const since = this.#pace.now()
        status = this.#files.lstatSync(file)
        this.#pace.took(since)
      } else status = await this.#files.lstat(file)
      return status.isFile() ? status : undefined
    } catch (error) {
      if (meansMissing(error)) return undefined
      throw storeError(error, `looking up object '${key}'`)
    }
  }

  async #infosOf(keys: readonly string[]): Promise<ObjectInfo[]> {
    // The listing passed over symbolic links already.
    const found = await Promise.all(
      keys.map((key) => this.#statusOf(key, this.#pathOf(key), false)),
    )
    const infos: ObjectInfo[] = []
    for (const [i, status] of found.entries()) {
      // Deleted since its directory was read.
      if (status !== undefined) infos.push(infoOf(keys[i] ?? '', status))
    }
    return infos
  }

  // --- writing ---------------------------------------------------------------------------------

  /** Makes a whole, closed and synced temporary file the object; returns its etag. */
  async #publish(
    temp: TempFile,
    status: FileStatus,
    key: string,
    file: string,
    options: PutOptions,
  ): Promise<string> {
    const directory = path.dirname(file)
    await this.#directories.make(directory)
    let etag = etagOf(status)
    if (options.ifMatch !== undefined || !(await this.#linkNew(temp, file))) {
      if (options.ifAbsent === true && this.#canLink) {
        throw new PreconditionFailedError(key, 'ifAbsent')
      }
      // Nor wait for the lock.
      await this.#assertCondition(key, file, options)
      etag = await this.#lock.hold(options.signal, async (assertHeld) => {
        const current = await this.#currentStatus(file)
        assertConditionOn(key, current, options)
        const newer = current === undefined ? status : this.#newerThan(current, temp, status)
        assertHeld()
        await this.#files.rename(temp.path, file)
        return etagOf(newer)
      })
    }
    this.#handles.drop(key)
    await this.#directories.sync(directory)
    return etag
  }

  async #assertCondition(key: string, file: string, options: PutOptions): Promise<void> {
    if (options.ifAbsent !== true && options.ifMatch === undefined) return
    assertConditionOn(key, await this.#statusOf(key, file, true), options)
  }

  /** Gives a temporary file the object's name where that is free; false where it isn't. */
  async #linkNew(temp: TempFile, file: string): Promise<boolean> {
    for (let attempt = 1; this.#canLink; attempt++) {
      try {
        await this.#files.link(temp.path, file)
        await this.#files.unlink(temp.path).catch(() => {})
        return true
      } catch (error) {
        const code = codeOf(error)
        if (code === 'EEXIST') return false
        if (code === 'ENOENT' && attempt === 1) {
          this.#directories.forget()
          await this.#directories.make(path.dirname(file))
        } else if (code !== undefined && NO_LINKS.has(code)) this.#canLink = false
        else throw error
      }
    }
    return false
  }

  /** The status of `temp`, after its modification time was made greater than another file's. */
  #newerThan(current: FileStatus, temp: TempFile, status: FileStatus): FileStatus {
    let newer = status
    // A microsecond does on any common file system; FAT keeps two seconds.
    for (const step of [1e-6, 1e-3, 1, 2]) {
      if (newer.mtimeNs > current.mtimeNs) break
      this.#files.utimesSync(temp.path, Number(current.mtimeNs) / 1e9 + step)
      newer = this.#files.lstatSync(temp.path)
    }
    return newer
  }

  async #currentStatus(file: string): Promise<FileStatus | undefined> {
    try {
      return await this.#files.lstat(file)
    } catch (error) {
      if (meansMissing(error)) return undefined
      throw error
    }
  }

  async #anyExists(files: readonly string[]): Promise<boolean> {
    // One key is worth a look before the lock is taken; for many, that the store exists.
    const [first = ''] = files
    return (await this.#currentStatus(files.length === 1 ? first : this.directory)) !== undefined
  }

  async #unlinkObject(file: string): Promise<boolean> {
    try {
      this.#directories.assertInside(path.dirname(file))
      await this.#files.unlink(file)
      return true
    } catch (error) {
      if (meansMissing(error)) return false
      throw error
    }
  }

  // --- errors ----------------------------------------------------------------------------------

  async #typed<T>(doing: string, action: () => Promise<T>): Promise<T> {
    try {
      return await action()
    } catch (error) {
      throw storeError(error, doing)
    }
  }

  /** Runs what opens a file; where descriptors are out, once more without the ones kept for reads. */
  async #withDescriptors<T>(open: () => Promise<T>): Promise<T> {
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

const NO_LINKS: ReadonlySet<string> = new Set([
  'EPERM',
  'ENOTSUP',
  'EOPNOTSUPP',
  'ENOSYS',
  'EINVAL',
  'EMLINK',
])

function assertConditionOn(
  key: string,
  current: FileStatus | undefined,
  { ifAbsent, ifMatch }: PutOptions,
): void {
  if (ifAbsent === true && current !== undefined) throw new PreconditionFailedError(key, 'ifAbsent')
  if (ifMatch !== undefined && (current === undefined || etagOf(current) !== ifMatch)) {
    throw new PreconditionFailedError(key, 'ifMatch')
  }
}

function infoOf(key: string, status: FileStatus): ObjectInfo {
  return { key, size: Number(status.size), etag: etagOf(status) }
}

function etagOf({ ino, mtimeNs, size }: FileStatus): string {
  return `${ino.toString(36)}-${mtimeNs.toString(36)}-${size.toString(36)}`
}

function meansMissing(error: unknown): boolean {
  const code = codeOf(error)
  return code === 'ENOENT' || code === 'ENOTDIR'
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
