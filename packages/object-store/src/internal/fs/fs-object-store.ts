import path from 'node:path'
import { type Env, InvalidArgumentError, systemEnv } from '@firn/env'
import {
  absolutePath,
  cannotLink,
  codeOf,
  type FileStatus,
  type FileSystem,
  isMissing,
  meaningOf,
  nodeFileSystem,
  ReadPace,
} from '@firn/vfs'
import { BaseObjectStore } from '../../base-object-store.js'
import { PreconditionFailedError } from '../../errors.js'
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
import { BaseDirectory } from './base-directory.js'
import { Directories } from './directories.js'
import { pathOf } from './file-names.js'
import { etagOf, infoOf } from './file-status.js'
import { storeError } from './fs-errors.js'
import { listKeys } from './object-listing.js'
import { ObjectReader } from './object-reader.js'
import { OpenFiles } from './open-files.js'
import { StoreLock } from './store-lock.js'
import { type TempFile, TempFiles } from './temp-files.js'

export interface FsObjectStoreOptions {
  env?: Env
  /**
   * Whether writes are on the device when they resolve. Default true. If false, a crash of the
   * system (not one of the process) may lose the latest writes or leave them empty: for tests, and
   * for data that can be made again.
   */
  fsync?: boolean
  /** How many files of immutable objects are kept open. Default 128. */
  openFiles?: number
  /**
   * How short reads are made. 'adaptive', the default: in place, blocking the event loop for a few
   * microseconds each, while the file system answers from memory; otherwise by the thread pool.
   * 'threads': always by the thread pool; for network file systems, which may hang.
   */
  reads?: 'adaptive' | 'threads'
  /**
   * The directory that it has to be: `directoryId` of a store that has it open in another thread.
   * The directory may have been replaced since. Default: the first one found.
   */
  directoryId?: string | undefined
  /** The system calls to use. Default: the real ones. */
  fileSystem?: FileSystem
  /** Called once if the file system can't sync directories. */
  onWarning?: ((message: string, error: unknown) => void) | undefined
}

const LIST_PAGE = 64
const DELETE_PAGE = 256

/**
 * Objects as files of one directory, for any number of processes on one file system. FORMAT.md says
 * how keys become paths; README.md, what is guaranteed.
 *
 * A write takes four steps: (1) create a file in `,tmp`; (2) write its bytes and a modification
 * time of its own, then fsync; (3) `link` it to the object's name, which fails if the name exists
 * and so decides all races of `ifAbsent`, or, to replace an object, `rename` it under the
 * `StoreLock`, so that what `ifMatch` saw still holds; (4) fsync the directory.
 *
 * An etag is inode number, modification time and size: every write makes a new inode, and under the
 * lock a replacement gets a greater modification time than the file before.
 */
export class FsObjectStore extends BaseObjectStore {
  /** The directory as an absolute path: enough for another thread to open the same store. */
  readonly directory: string
  readonly #files: FileSystem
  readonly #base: BaseDirectory
  readonly #fsync: boolean
  readonly #directories: Directories
  readonly #temps: TempFiles
  readonly #lock: StoreLock
  readonly #reader: ObjectReader
  /** False once the file system has refused to make a hard link. */
  #canLink = true

  constructor(directory: string, options: FsObjectStoreOptions = {}) {
    super()
    this.directory = absolutePath(directory, 'the directory of a filesystem store')
    const { openFiles = 128, reads = 'adaptive' } = options
    if (!Number.isSafeInteger(openFiles) || openFiles < 1) {
      throw new InvalidArgumentError(`openFiles is a whole number, 1 or more, got ${openFiles}`)
    }
    const env = options.env ?? systemEnv
    this.#files = options.fileSystem ?? nodeFileSystem
    this.#base = new BaseDirectory(this.#files, this.directory, options.directoryId)
    this.#directories = new Directories(
      this.#files,
      this.#base,
      options.fsync ?? true,
      options.onWarning,
    )
    this.#temps = new TempFiles(this.#files, env, this.#directories, this.directory)
    this.#lock = new StoreLock(this.#files, env, this.#directories, this.directory)
    const pace = new ReadPace(env, reads === 'threads')
    this.#reader = new ObjectReader(
      this.#files,
      this.#directories,
      this.directory,
      new OpenFiles(openFiles),
      pace,
    )
    this.#fsync = options.fsync ?? true
  }

  /**
   * Identifies the directory among all others of this machine while the store is open; `undefined`
   * until the store has found it.
   */
  get directoryId(): string | undefined {
    return this.#base.id
  }

  protected override _get(key: string, options: GetOptions): Promise<StoredObject> {
    return this.#reader.get(key, options)
  }

  protected override async _head(
    key: string,
    options: CallOptions,
  ): Promise<ObjectInfo | undefined> {
    const file = pathOf(this.directory, key)
    const status = await this.#reader.status(key, file, true)
    options.signal?.throwIfAborted()
    return status === undefined ? undefined : infoOf(key, status)
  }

  protected override async _put(
    key: string,
    bytes: Uint8Array,
    options: PutOptions,
  ): Promise<{ etag: string }> {
    // Fail early, before writing and syncing a file.
    await this.#assertCondition(key, pathOf(this.directory, key), options)
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
    const files = keys.map((key) => pathOf(this.directory, key))
    try {
      if (!(await this.#anyExists(files))) return
      const touched = new Set<string>()
      for (let at = 0; at < files.length; at += DELETE_PAGE) {
        await this.#lock.hold(options.signal, async (assertHeld) => {
          assertHeld()
          for (let i = at; i < Math.min(at + DELETE_PAGE, files.length); i++) {
            const file = files[i] ?? ''
            this.#reader.forget(keys[i] ?? '')
            if (await this.#unlinkObject(file)) touched.add(path.dirname(file))
          }
        })
      }
      for (const directory of touched) await this.#directories.sync(directory)
    } catch (error) {
      throw storeError(error, {
        doing: `deleting ${keys.length} object(s)`,
        directory: this.directory,
      })
    }
  }

  protected override async *_list(options: ListOptions): AsyncIterable<ObjectInfo> {
    const { limit = Number.POSITIVE_INFINITY } = options
    let left = limit
    let page: string[] = []
    try {
      this.#directories.assertInPlace()
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
      throw storeError(error, { doing: 'listing objects', directory: this.directory })
    }
  }

  protected override async _upload(key: string, options: UploadOptions): Promise<UploadSink> {
    const file = pathOf(this.directory, key)
    const writing: Writing = { doing: `writing object '${key}'`, maybeDone: false }
    const temp = await this.#typed(writing, () =>
      this.#reader.withDescriptors(() => this.#temps.create()),
    )
    let size = 0
    return {
      write: (bytes) =>
        this.#typed(writing, async () => {
          options.signal?.throwIfAborted()
          await this.#temps.write(temp, bytes, size)
          size += bytes.length
        }),
      finish: () =>
        this.#typed(writing, async () => {
          const status = this.#temps.stamp(temp)
          if (this.#fsync) await temp.file.sync()
          await this.#temps.close(temp)
          options.signal?.throwIfAborted()
          const target = { key, file, options, writing }
          return { etag: await this.#publish(temp, status, target), size }
        }),
      abort: () => this.#temps.discard(temp),
    }
  }

  protected override async _close(): Promise<void> {
    this.#reader.close()
    this.#base.release()
  }

  async #infosOf(keys: readonly string[]): Promise<ObjectInfo[]> {
    // The listing already skipped symbolic links.
    const found = await Promise.all(
      keys.map((key) => this.#reader.status(key, pathOf(this.directory, key), false)),
    )
    const infos: ObjectInfo[] = []
    for (const [i, status] of found.entries()) {
      // Deleted since its directory was read.
      if (status !== undefined) infos.push(infoOf(keys[i] ?? '', status))
    }
    return infos
  }

  /** Turns a whole, closed and synced temporary file into the object; returns its etag. */
  async #publish(
    temp: TempFile,
    status: FileStatus,
    { key, file, options, writing }: Target,
  ): Promise<string> {
    const directory = path.dirname(file)
    await this.#directories.make(directory)
    let etag = etagOf(status)
    if (options.ifMatch !== undefined || !(await this.#linkNew(temp, file, writing))) {
      if (options.ifAbsent === true && this.#canLink) {
        throw new PreconditionFailedError(key, 'ifAbsent')
      }
      // Fail before waiting for the lock, too.
      await this.#assertCondition(key, file, options)
      etag = await this.#lock.hold(options.signal, async (assertHeld) => {
        const current = await this.#currentStatus(file)
        assertConditionOn(key, current, options)
        const newer = current === undefined ? status : this.#newerThan(current, temp, status)
        assertHeld()
        await namely(writing, () => this.#files.rename(temp.path, file))
        return etagOf(newer)
      })
    }
    // It has its name and keeps it, though a crash may undo that.
    writing.maybeDone = true
    this.#reader.forget(key)
    await this.#directories.sync(directory)
    return etag
  }

  async #assertCondition(key: string, file: string, options: PutOptions): Promise<void> {
    if (options.ifAbsent !== true && options.ifMatch === undefined) return
    assertConditionOn(key, await this.#reader.status(key, file, true), options)
  }

  /** Gives a temporary file the object's name if the name is free; false if it isn't. */
  async #linkNew(temp: TempFile, file: string, writing: Writing): Promise<boolean> {
    for (let attempt = 1; this.#canLink; attempt++) {
      try {
        await namely(writing, () => this.#files.link(temp.path, file))
        await this.#files.remove(temp.path).catch(() => {})
        return true
      } catch (error) {
        const code = codeOf(error)
        if (code === 'EEXIST') return false
        if (code === 'ENOENT' && attempt === 1) {
          this.#directories.forget()
          await this.#directories.make(path.dirname(file))
        } else if (cannotLink(error)) this.#canLink = false
        else throw error
      }
    }
    return false
  }

  /** Makes the modification time of `temp` greater than another file's; returns the new status. */
  #newerThan(current: FileStatus, temp: TempFile, status: FileStatus): FileStatus {
    let newer = status
    // A microsecond is enough on any common file system; FAT keeps two seconds.
    for (const step of [1e-6, 1e-3, 1, 2]) {
      if (newer.mtimeNs > current.mtimeNs) break
      this.#files.setTimesSync(temp.path, Number(current.mtimeNs) / 1e9 + step)
      newer = this.#files.statusSync(temp.path)
    }
    return newer
  }

  async #currentStatus(file: string): Promise<FileStatus | undefined> {
    try {
      return await this.#files.status(file)
    } catch (error) {
      if (isMissing(error)) return undefined
      throw error
    }
  }

  async #anyExists(files: readonly string[]): Promise<boolean> {
    // For one key, look before taking the lock; for many, look only whether the store exists.
    const [first = ''] = files
    return (await this.#currentStatus(files.length === 1 ? first : this.directory)) !== undefined
  }

  async #unlinkObject(file: string): Promise<boolean> {
    try {
      this.#directories.assertInside(path.dirname(file))
      return await this.#files.remove(file)
    } catch (error) {
      if (isMissing(error)) return false
      throw error
    }
  }

  async #typed<T>(writing: Writing, action: () => Promise<T>): Promise<T> {
    try {
      return await action()
    } catch (error) {
      throw storeError(error, { ...writing, directory: this.directory })
    }
  }
}

/** A write that is under way. */
interface Writing {
  doing: string
  /** Whether the object may have its name: before that, nothing is visible. */
  maybeDone: boolean
}

interface Target {
  key: string
  file: string
  options: PutOptions
  writing: Writing
}

/**
 * Runs the call that gives an object its name. If the file system itself refuses, the object
 * certainly doesn't have it.
 */
async function namely(writing: Writing, call: () => Promise<void>): Promise<void> {
  try {
    await call()
  } catch (error) {
    if (codeOf(error) !== 'EEXIST' && !meaningOf(error).refused) writing.maybeDone = true
    throw error
  }
}

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
