import path from 'node:path'
import { isError } from '@firn/env'
import { cannotSyncDirectory, codeOf, type FileSystem, lenientSync } from '@firn/vfs'
import { ObjectStoreError } from '../../errors.js'
import type { BaseDirectory } from './base-directory.js'

// Few databases have more than a few thousand directories; further ones are only checked again.
const MAX_REMEMBERED = 4096

/**
 * The directories of a store: created when needed, made durable before anything in them counts as
 * durable, and never left through a symbolic link.
 */
export class Directories {
  readonly #files: FileSystem
  readonly #base: string
  readonly #baseDirectory: BaseDirectory
  readonly #fsync: boolean
  readonly #syncLeniently: (directory: string) => Promise<void>
  /** Directories whose entries, and the entries of all directories up to the base, are durable. */
  readonly #durable = new Set<string>()
  /** Directories known to lie inside the base, with links resolved. */
  readonly #inside = new Set<string>()
  readonly #syncs = new Map<string, { running: Promise<void>; next: Promise<void> | undefined }>()

  constructor(
    files: FileSystem,
    base: BaseDirectory,
    fsync: boolean,
    onWarning?: (message: string, error: unknown) => void,
  ) {
    this.#files = files
    this.#base = base.path
    this.#baseDirectory = base
    this.#fsync = fsync
    this.#syncLeniently = lenientSync((directory) => this.#shared(directory), onWarning)
  }

  /** Throws `ObjectStoreError` if the base was renamed, removed or replaced. */
  assertInPlace(): void {
    this.#baseDirectory.assertInPlace()
  }

  /**
   * Makes a directory of the store and its parents, and makes them durable. Must be called before
   * every write: throws if the base was renamed, removed or replaced, and never makes another base.
   */
  async make(directory: string): Promise<void> {
    this.assertInPlace()
    if (this.#durable.has(directory)) return
    if (directory === this.#base) await this.#makeBase()
    else {
      const parent = path.dirname(directory)
      await this.make(parent)
      await this.#makeOne(directory)
      const status = await this.#files.status(directory)
      if (!status.isDirectory()) throw notADirectory(directory)
      // Even if another call or process made it, which may never have synced it.
      await this.sync(parent)
    }
    remember(this.#durable, directory)
  }

  /** Forgets what `make` knew, after a directory turned out to be missing. */
  forget(): void {
    this.#durable.clear()
    this.#inside.clear()
  }

  /**
   * Throws if a directory is reached through a symbolic link below the base. The base itself may be
   * one. A missing directory throws ENOENT.
   */
  assertInside(directory: string): void {
    if (this.#inside.has(directory)) return
    const real = this.#files.realPathSync(directory)
    const realBase = this.#files.realPathSync(this.#base)
    const expected = path.join(realBase, path.relative(this.#base, directory))
    // If the file system ignores case, real paths come back in the case on the disk.
    if (real !== expected && real.toLowerCase() !== expected.toLowerCase()) {
      throw new ObjectStoreError(
        `${directory} is reached through a symbolic link; a store keeps all objects in its own ` +
          'directory: move them there',
        { reason: 'layout' },
      )
    }
    remember(this.#inside, directory)
  }

  /**
   * Makes the entries of a directory durable. Calls made while an fsync runs share the next one:
   * the running one may have begun before their entries were there.
   */
  sync(directory: string): Promise<void> {
    return this.#syncLeniently(directory)
  }

  #shared(directory: string): Promise<void> {
    if (!this.#fsync) return Promise.resolve()
    const current = this.#syncs.get(directory)
    if (current === undefined) {
      const running = this.#syncNow(directory)
      this.#syncs.set(directory, { running, next: undefined })
      return running
    }
    current.next ??= current.running.catch(() => {}).then(() => this.#startNext(directory))
    return current.next
  }

  #startNext(directory: string): Promise<void> {
    const running = this.#syncNow(directory)
    this.#syncs.set(directory, { running, next: undefined })
    return running
  }

  async #syncNow(directory: string): Promise<void> {
    try {
      await this.#files.syncDirectory(directory)
    } catch (error) {
      throw withPath(error, directory)
    } finally {
      if (this.#syncs.get(directory)?.next === undefined) this.#syncs.delete(directory)
    }
  }

  /**
   * Makes the base and all missing parents. Names above are made durable before the base exists,
   * even if this call didn't make them: an earlier attempt may have failed, or died, after that.
   */
  async #makeBase(): Promise<void> {
    if (!(await this.#exists(this.#base))) {
      const above: string[] = []
      for (let at = path.dirname(this.#base); path.dirname(at) !== at; at = path.dirname(at)) {
        above.unshift(at)
      }
      for (const directory of above) {
        if (!(await this.#exists(directory))) await this.#makeOne(directory)
        await this.#syncForeign(path.dirname(directory))
      }
      await this.#makeOne(this.#base)
    }
    await this.#syncForeign(path.dirname(this.#base))
  }

  async #exists(directory: string): Promise<boolean> {
    try {
      await this.#files.status(directory)
      return true
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return false
      // If this process may not look there, it couldn't make it either.
      if (isForbidden(error)) return true
      throw error
    }
  }

  /**
   * Syncs a directory that isn't the store's and may be on another file system. If that isn't
   * allowed, or can't be done, its names are its owner's concern.
   */
  async #syncForeign(directory: string): Promise<void> {
    try {
      await this.#shared(directory)
    } catch (error) {
      if (!isForbidden(error) && !cannotSyncDirectory(error)) throw error
    }
  }

  async #makeOne(directory: string): Promise<void> {
    try {
      await this.#files.makeDirectory(directory)
    } catch (error) {
      if (codeOf(error) !== 'EEXIST') throw error
    }
  }
}

/** Whether the system, or the runtime, doesn't let this process look there. */
function isForbidden(error: unknown): boolean {
  const code = codeOf(error)
  return code === 'EACCES' || code === 'EPERM'
}

/** Adds a path to an error of a call that knew only a descriptor. */
function withPath(error: unknown, path: string): unknown {
  const { path: known } = error as { path?: unknown }
  return isError(error) && known === undefined ? Object.assign(error, { path }) : error
}

function notADirectory(directory: string): ObjectStoreError {
  return new ObjectStoreError(
    `${directory} is not a directory, but a store needs one of this name; move the file away`,
    { reason: 'layout' },
  )
}

function remember(known: Set<string>, directory: string): void {
  if (known.size >= MAX_REMEMBERED) known.clear()
  known.add(directory)
}
