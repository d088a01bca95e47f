import path from 'node:path'
import type { Env } from '@firn/env'
import {
  codeOf,
  type File,
  type FileStatus,
  type FileSystem,
  formatTag,
  type ProcessTag,
  parseTag,
  tagOf,
} from '@firn/vfs'
import type { Directories } from './directories.js'
import { TEMP_DIRECTORY } from './file-names.js'

/** Another machine's file is removed if it wasn't written to for this long. */
const FOREIGN_TEMP_MS: number = 24 * 60 * 60 * 1000

/** The year 2100: file systems with 32-bit seconds and a few more bits end soon after. */
const LATEST_MS: number = 4_102_444_800_000

/** A file that isn't an object yet. */
export interface TempFile {
  readonly file: File
  readonly path: string
  isOpen: boolean
}

/**
 * Files that are becoming objects: `,tmp/<random>.<machine>.<pid>.<started>`. The name says which
 * process owns a file, so that a later process can tell what a dead one left.
 */
export class TempFiles {
  readonly #files: FileSystem
  readonly #env: Env
  readonly #directories: Directories
  readonly #directory: string
  #cleaned: Promise<void> | undefined

  constructor(files: FileSystem, env: Env, directories: Directories, base: string) {
    this.#files = files
    this.#env = env
    this.#directories = directories
    this.#directory = path.join(base, TEMP_DIRECTORY)
  }

  /** Opens a new file for writing. Before the first one, removes the files of dead processes. */
  async create(): Promise<TempFile> {
    await this.#directories.make(this.#directory)
    this.#cleaned ??= this.#clean()
    await this.#cleaned
    for (let missing = false; ; ) {
      const name = path.join(this.#directory, ownName(this.#files, this.#env))
      try {
        return { file: await this.#files.open(name, 'create'), path: name, isOpen: true }
      } catch (error) {
        const code = codeOf(error)
        if (code === 'ENOENT' && !missing) {
          missing = true
          this.#directories.forget()
          await this.#directories.make(this.#directory)
        } else if (code !== 'EEXIST') throw error
      }
    }
  }

  /** Writes all of `bytes` at a position. */
  async write(temp: TempFile, bytes: Uint8Array, position: number): Promise<void> {
    await temp.file.write([bytes], position, { durable: false })
  }

  /**
   * Gives the file a modification time that distinguishes it from every other content with the same
   * inode number, and returns its status. The kernel's own stamps are only accurate to
   * milliseconds, and inode numbers are reused at once. Wall-clock milliseconds and a random
   * fraction, of which a double keeps 12 bits, distinguish far more.
   */
  stamp(temp: TempFile): FileStatus {
    const now = Math.floor(this.#env.now() / 1000)
    // File systems, and Node, accept no time before 1970; times of a wildly wrong clock are out
    // too.
    const milliseconds = now > 0 && now < LATEST_MS ? now : 0
    this.#files.setTimesSync(temp.path, (milliseconds + this.#env.random()) / 1000)
    return this.#files.statusSync(temp.path)
  }

  /** Closes the file and removes its name; if that fails, the next clean-up does it. */
  async discard(temp: TempFile): Promise<void> {
    await this.close(temp).catch(() => {})
    await this.#files.remove(temp.path).catch(() => {})
  }

  async close(temp: TempFile): Promise<void> {
    if (!temp.isOpen) return
    temp.isOpen = false
    await temp.file.close()
  }

  async #clean(): Promise<void> {
    try {
      for (const entry of await this.#files.list(this.#directory)) {
        if (entry.isFile()) await this.#removeIfLeft(entry.name)
      }
    } catch {
      // Leftovers take up space and do no other harm.
    }
  }

  async #removeIfLeft(name: string): Promise<void> {
    const owner = ownerOf(name)
    if (owner === undefined) return
    const life = this.#files.processes.livenessOfTag(owner)
    if (life === 'alive') return
    const file = path.join(this.#directory, name)
    try {
      if (life === 'unknown') {
        const ageMs = this.#env.now() / 1000 - Number((await this.#files.status(file)).mtimeMs)
        if (ageMs < FOREIGN_TEMP_MS) return
      }
      await this.#files.remove(file)
    } catch (error) {
      if (codeOf(error) !== 'ENOENT') throw error
    }
  }
}

/** A name that no other file gets: 64 random bits, and the process that made it. */
export function ownName(files: FileSystem, env: Env): string {
  let random = ''
  for (const byte of env.randomBytes(8)) random += byte.toString(16).padStart(2, '0')
  return `${random}.${formatTag(tagOf(files.processes.self()))}`
}

/** The process that made a name of `ownName`; `undefined` for any other name. */
export function ownerOf(name: string): ProcessTag | undefined {
  return parseTag(name.slice(name.indexOf('.') + 1))
}
