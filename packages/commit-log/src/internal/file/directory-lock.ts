import { basename, join } from 'node:path'
import { toHex, utf8Encode } from '@firn/bytes'
import { type Env, FormatVersionError, systemEnv } from '@firn/env'
import {
  absolutePath,
  cannotLink,
  codeOf,
  type FileSystem,
  isSameProcess,
  type LifeSign,
  nodeFileSystem,
  type PinnedDirectory,
} from '@firn/vfs'
import { LockedError, LogFailedError } from '../../errors.js'
import { decodeLockRecord, encodeLockRecord, type LockRecord } from './lock-record.js'
import { reasonOf } from './log-errors.js'
import { movedError } from './log-file-system.js'

/** The state of a directory's lock, read without taking it. */
export interface LockInspection {
  /** 0: the directory was never locked. */
  generation: number
  /** Whether a process that lives, or may live, holds the lock. */
  held: boolean
  /** The note of the last owner, if it released the lock and left one. */
  note: unknown
}

export interface DirectoryLockOptions {
  env?: Env
  /** Default: the system's. */
  fileSystem?: FileSystem
}

/**
 * Makes one of the processes that share a directory its owner. A dead owner holds nothing, two live
 * ones never share it, and no clock decides anything.
 *
 * 1. Ownership goes by generations, files `LOCK-<n>`. The numbers only grow.
 * 2. Look at the highest generation. If it is released, or its owner is proven dead, announce
 *    yourself (from then on the kernel tells other processes whether you live: @firn/vfs). Then
 *    create the next generation, complete and only if it doesn't exist (a link to a finished file).
 *    However many processes race, one creates it.
 * 3. Look again: the owner is the process that created the highest generation. A process that slept
 *    between looking and creating may have recreated a number that was cleared away; a higher one
 *    shows that.
 * 4. The owner removes generations that are two or more behind its own, so that a process listing
 *    the directory meanwhile sees at least one that is higher than its own. It does so when it
 *    releases the lock, and at once only if dead owners left many: removing one file takes as long
 *    as everything else here.
 * 5. Releasing rewrites the own generation as released, with a note for the next owner. If the disk
 *    doesn't take the record, this process knows that it holds nothing any more; other processes
 *    know it once this one has ended.
 *
 * Nothing is synced: a crash of the machine can only undo the lock of a process that died with it.
 */
export class DirectoryLock {
  readonly generation: number
  /** The previous owner's note if it released the lock; `undefined` if it died. */
  readonly previousNote: unknown
  readonly #fs: FileSystem
  readonly #directory: string
  readonly #record: LockRecord
  readonly #sign: LifeSign
  /** The directory that is locked, whatever takes its name later. */
  readonly pinned: PinnedDirectory
  #released = false

  private constructor(
    fs: FileSystem,
    directory: string,
    generation: number,
    record: LockRecord,
    sign: LifeSign,
    pinned: PinnedDirectory,
    note: unknown,
  ) {
    this.#fs = fs
    this.#directory = directory
    this.generation = generation
    this.#record = record
    this.#sign = sign
    this.pinned = pinned
    this.previousNote = note
  }

  /** Takes the lock of an existing directory at once, or throws `LockedError` naming its owner. */
  static async acquire(
    path: string,
    options: DirectoryLockOptions & { signal?: AbortSignal | undefined } = {},
  ): Promise<DirectoryLock> {
    const directory = absolutePath(path, LOCKED)
    const env = options.env ?? systemEnv
    const fs = options.fileSystem ?? nodeFileSystem
    const nonce = nonceFrom(env)
    const pinned = fs.pin(directory)
    let sign: LifeSign | undefined
    try {
      for (;;) {
        options.signal?.throwIfAborted()
        const highest = highestOf(fs.namesSync(directory))
        const found = highest === 0 ? undefined : await readRecord(fs, directory, highest, env)
        if (found === 'gone') continue
        if (found !== undefined) await assertFree(fs, directory, highest, found)
        const generation = highest + 1
        const { device } = pinned
        sign = await fs.processes.announce(directory, signOf(generation, nonce), { device })
        const record: LockRecord = { format: 1, state: 'held', nonce, owner: sign.owner }
        if (create(fs, directory, generation, record)) {
          const names = fs.namesSync(directory)
          if (!pinned.isInPlace()) {
            // The record may be in another directory, which has just taken the name.
            fs.removeSync(pathOf(directory, generation))
            throw movedError(directory)
          }
          if (highestOf(names) === generation) {
            const stale = staleAmong(names, generation)
            if (stale.length > MOST_STALE) clearAway(fs, directory, stale)
            const note = found?.state === 'released' ? found.note : undefined
            return new DirectoryLock(fs, directory, generation, record, sign, pinned, note)
          }
          fs.removeSync(pathOf(directory, generation))
        }
        sign.end()
        sign = undefined
      }
    } catch (error) {
      // The record may have been created despite the error.
      giveUp(fs, nonce)
      sign?.end()
      pinned.release()
      throw error
    }
  }

  /** Reads the state of a directory's lock without taking it. */
  static async inspect(path: string, options: DirectoryLockOptions = {}): Promise<LockInspection> {
    const directory = absolutePath(path, LOCKED)
    const fs = options.fileSystem ?? nodeFileSystem
    for (;;) {
      const generation = highestOf(fs.namesSync(directory))
      if (generation === 0) return { generation, held: false, note: undefined }
      const record = await readRecord(fs, directory, generation, options.env ?? systemEnv)
      if (record === 'gone') continue
      const held =
        record?.state === 'held' &&
        (await fs.processes.livenessOf(directory, record.owner)) !== 'dead'
      return { generation, held, note: record?.state === 'released' ? record.note : undefined }
    }
  }

  /** Reads the note that the last owner left, if it released the lock. Contacts no process. */
  static async readNote(path: string, options: DirectoryLockOptions = {}): Promise<unknown> {
    const directory = absolutePath(path, LOCKED)
    const fs = options.fileSystem ?? nodeFileSystem
    for (;;) {
      const generation = highestOf(fs.namesSync(directory))
      if (generation === 0) return undefined
      const record = await readRecord(fs, directory, generation, options.env ?? systemEnv)
      if (record === 'gone') continue
      return record?.state === 'released' ? record.note : undefined
    }
  }

  /**
   * Releases the lock. `note`, a small JSON value, goes to the next owner. Idempotent. Throws
   * `LogFailedError` if the disk doesn't take the record.
   */
  release(note?: unknown): void {
    if (this.#released) return
    this.#released = true
    try {
      this.#release(note)
    } finally {
      this.#sign.end()
      this.pinned.release()
    }
  }

  #release(note: unknown): void {
    const record: LockRecord = { ...this.#record, state: 'released', note }
    const directory = this.#whereItIs()
    const path = pathOf(directory, this.generation)
    const temporary = temporaryOf(directory, this.generation, record)
    try {
      const stale = staleAmong(this.#fs.namesSync(directory), this.generation)
      clearAway(this.#fs, directory, stale)
      this.#fs.createFileSync(temporary, [utf8Encode(encodeLockRecord(record))])
      this.#fs.renameSync(temporary, path)
    } catch (error) {
      // The directory is gone, and the lock with it.
      if (codeOf(error) === 'ENOENT') return
      clearAway(this.#fs, directory, [basename(temporary)])
      try {
        this.#releaseInPlace(path)
      } catch (cause) {
        giveUp(this.#fs, this.#record.nonce)
        throw new LogFailedError(
          `the lock of ${this.#directory} could not be released (${reasonOf(cause)}); everything else is closed, but other processes can open it only when this one has ended`,
          cause,
        )
      }
    }
  }

  /** Where the directory is now: it may have moved. One that took its place has its own lock. */
  #whereItIs(): string {
    if (this.pinned.isInPlace()) return this.#directory
    const directory = this.pinned.currentPath()
    if (directory !== undefined) return directory
    giveUp(this.#fs, this.#record.nonce)
    throw movedError(this.#directory)
  }

  /**
   * For a full disk: overwrites the record in place, without a note, in no more bytes than it has.
   * A process that reads it half written takes it for a record without an owner, which it is.
   */
  #releaseInPlace(path: string): void {
    const length = encodeLockRecord(this.#record).length
    const { note: _, ...record } = this.#record
    const text = encodeLockRecord({ ...record, nonce: '', state: 'released' })
    const file = this.#fs.openSync(path, 'write')
    try {
      const padded = text
        .trimEnd()
        .padEnd(length - 1)
        .concat('\n')
      file.writeSync([utf8Encode(padded)], 0, { durable: true })
    } finally {
      file.closeSync()
    }
  }
}

/** The name of the directory in error messages. */
const LOCKED = 'the directory of a lock'

/** Records that this process left as held but doesn't hold any more, by file system. */
const givenUp: WeakMap<FileSystem, Set<string>> = new WeakMap()

function giveUp(fs: FileSystem, nonce: string): void {
  const nonces = givenUp.get(fs) ?? new Set()
  givenUp.set(fs, nonces.add(nonce))
}

const NAME = /^LOCK-(\d{1,15})$/
/** The files of a generation besides its record: the unfinished record and the owner's socket. */
const PART_NAME = /^LOCK-(\d{1,15})-[0-9a-f]{16}\.(?:tmp|sock|sock\.tmp)$/

function pathOf(directory: string, generation: number): string {
  return join(directory, `LOCK-${generation}`)
}

function temporaryOf(directory: string, generation: number, record: LockRecord): string {
  return join(directory, `LOCK-${generation}-${record.nonce}.tmp`)
}

function signOf(generation: number, nonce: string): string {
  return `LOCK-${generation}-${nonce}.sock`
}

/**
 * Doesn't use `env.randomBytes`: a process's first draw loads Web Crypto, which takes as long as
 * everything else in opening a log. Racers for one generation need different names, and there is no
 * secret to guard.
 */
function nonceFrom(env: Env): string {
  return toHex(Uint8Array.from({ length: 8 }, () => env.random() * 256))
}

function highestOf(names: readonly string[]): number {
  let highest = 0
  for (const name of names) {
    const match = NAME.exec(name)
    if (match !== null) highest = Math.max(highest, Number(match[1]))
  }
  return highest
}

/** Creates a generation with its whole content; false if it exists. */
function create(
  fs: FileSystem,
  directory: string,
  generation: number,
  record: LockRecord,
): boolean {
  const path = pathOf(directory, generation)
  const temporary = temporaryOf(directory, generation, record)
  fs.createFileSync(temporary, [utf8Encode(encodeLockRecord(record))])
  try {
    fs.linkSync(temporary, path)
    return true
  } catch (error) {
    // If the temporary file is missing, others came first too: a later owner cleared it away.
    const code = codeOf(error)
    if (code === 'EEXIST' || code === 'ENOENT') return false
    if (!cannotLink(error)) throw error
    return createWithoutLinks(fs, path, record)
  } finally {
    clearAway(fs, directory, [basename(temporary)])
  }
}

/**
 * For file systems without hard links. Others may see the file empty for a moment: `readRecord`.
 */
function createWithoutLinks(fs: FileSystem, path: string, record: LockRecord): boolean {
  try {
    fs.createFileSync(path, [utf8Encode(encodeLockRecord(record))])
    return true
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false
    throw error
  }
}

/** How often an empty lock file is looked at again, in case it is just being written. */
const LOOKS = 5
const LOOK_AGAIN_MS = 20

/** Reads a record; `undefined` for the remains of one after a crash of the machine: no owner. */
async function readRecord(
  fs: FileSystem,
  directory: string,
  generation: number,
  env: Env,
): Promise<LockRecord | 'gone' | undefined> {
  for (let look = 1; ; look++) {
    let text: string
    try {
      text = new TextDecoder().decode(fs.readFileSync(pathOf(directory, generation)))
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return 'gone'
      throw error
    }
    const record = decodeLockRecord(text)
    if (record === 'future') {
      throw new FormatVersionError(
        `${pathOf(directory, generation)} was written by a newer release; open the database with that one`,
      )
    }
    if (record !== undefined || look === LOOKS) return record
    await env.sleep(LOOK_AGAIN_MS)
  }
}

async function assertFree(
  fs: FileSystem,
  directory: string,
  generation: number,
  { state, owner, nonce }: LockRecord,
): Promise<void> {
  if (state === 'released' || givenUp.get(fs)?.has(nonce) === true) return
  const liveness = await fs.processes.livenessOf(directory, owner)
  if (liveness === 'dead') return
  const who = isSameProcess(owner, fs.processes.self())
    ? 'this process'
    : `process ${owner.pid} on host ${owner.hostname}`
  if (liveness === 'alive') {
    throw new LockedError(
      `${directory} is open for writing in ${who}; close it there first, or open it here with mode 'read'`,
    )
  }
  throw new LockedError(
    `${directory} was opened for writing in ${who}, and whether that process still runs can't be found out from here; close it there or, if it has certainly ended, delete ${pathOf(directory, generation)}`,
  )
}

/** How many files of dead owners may stay until the lock is released. */
const MOST_STALE = 8

/** The files of generations that are two or more behind this one. */
function staleAmong(names: readonly string[], generation: number): string[] {
  return names.filter((name) => {
    const match = NAME.exec(name) ?? PART_NAME.exec(name)
    return match !== null && Number(match[1]) <= generation - 2
  })
}

/** Removes files. One that can't be removed stays: it only takes up space. */
function clearAway(fs: FileSystem, directory: string, names: readonly string[]): void {
  try {
    for (const name of names) fs.removeSync(join(directory, name))
  } catch {}
}
