import path from 'node:path'
import { isError } from '@firn/env'
import { cannotSyncDirectory, codeOf, type FileSystem, lenientSync } from '@firn/vfs'
import { ObjectStoreError } from '../../errors.js'
import type { BaseDirectory } from './base-directory.js'

// A few thousand directories are as many as any database has; more are only checked again.
const MAX_REMEMBERED = 4096

/**
 * The directories of a store: made when they are needed, made durable before anything in them is
 * called so, and never left through a symbolic link.
 */
export class Directories {
  readonly #files: FileSystem
  readonly #base: string
  readonly #baseDirectory: BaseDirectory
  readonly #fsync: boolean
  readonly #syncLeniently: (directory: string) => Promise<void>
  /** Directories whose own entries, up to the base's, are durable. */
  readonly #durable = new Set<string>()
  /** Directories that were seen to lie inside the base, links followed. */
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
   * Makes a directory of the store and those above it, and makes them durable. To be called before
   * every write: throws if the base was renamed, removed or replaced, and never makes another one.
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
      // Also where someone else made it: their fsync may never have come.
      await this.sync(parent)
    }
    remember(this.#durable, directory)
  }

  /** Forgets what `make` knew, after a directory turned out to be gone. */
  forget(): void {
    this.#durable.clear()
    this.#inside.clear()
  }

  /**
   * Throws where a directory that exists is reached through a symbolic link below the base. The
   * base itself may be one. A missing directory throws ENOENT.
   */
  assertInside(directory: string): void {
    if (this.#inside.has(directory)) return
    const real = this.#files.realPathSync(directory)
    const realBase = this.#files.realPathSync(this.#base)
    const expected = path.join(realBase, path.relative(this.#base, directory))
    // Where the file system ignores case, real paths come back in the case on the disk.
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
   * Makes the entries of a directory durable. Calls that come while one fsync runs share the next:
   * the one that runs may have begun before their entries were there.
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
   * The base and whatever is missing above it. Names above are made durable before the base is
   * there, whoever made them: an attempt that came as far as that may have failed, or died.
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
      // What may not be looked at is nothing that could be made.
      if (isForbidden(error)) return true
      throw error
    }
  }

  /**
   * Syncs a directory of someone else's, which may be on another file system: where that isn't
   * allowed, or can't be done, its names are its owner's business.
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

/** The system, or the runtime, doesn't let this process look there. */
function isForbidden(error: unknown): boolean {
  const code = codeOf(error)
  return code === 'EACCES' || code === 'EPERM'
}

/** An error of a call that knew only a descriptor. */
function withPath(error: unknown, path: string): unknown {
  const { path: known } = error as { path?: unknown }
  return isError(error) && known === undefined ? Object.assign(error, { path }) : error
}

function notADirectory(directory: string): ObjectStoreError {
  return new ObjectStoreError(
    `${directory} is not a directory; a store needs one of this name: move what is there`,
    { reason: 'layout' },
  )
}

function remember(known: Set<string>, directory: string): void {
  if (known.size >= MAX_REMEMBERED) known.clear()
  known.add(directory)
}
