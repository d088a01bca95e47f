import fs from 'node:fs'
import { join } from 'node:path'
import { toHex } from '@firn/bytes'
import { type Env, FormatVersionError, systemEnv } from '@firn/env'
import { LockedError } from '../../errors.js'
import { decodeLockRecord, encodeLockRecord, type LockRecord } from './lock-record.js'
import { livenessOf, ownIdentity } from './process-identity.js'
import { remove } from './remove.js'

/** What there is to know of a directory's lock without taking it. */
export interface LockInspection {
  /** 0: it was never locked. */
  generation: number
  /** Whether a process that lives, or may live on another host, holds it. */
  held: boolean
  /** The note of the last owner, if it released the lock and left one. */
  note: unknown
}

/**
 * Makes one process, of those that share a directory, its owner. A dead owner holds nothing, two
 * live ones never share it, and nothing is decided by a clock.
 *
 * 1. Ownership goes by generations, files `LOCK-<n>`. The numbers only grow.
 * 2. Look at the highest. If it is released, or its owner is dead, create the next one, complete
 *    and only if it isn't there (a link to a finished file). Of any number of racers one creates it.
 * 3. Look again: owner is who created the highest generation. Somebody who slept between looking
 *    and creating may have revived a number that was cleared away; a higher one gives him away.
 * 4. The owner clears generations away that lie two or more behind its own, so that whoever lists
 *    the directory meanwhile sees at least one that is higher than his: when it lets go, and at once
 *    only where owners that died left many. Removing one takes as long as all the rest.
 * 5. Releasing rewrites the own generation as released, with a note for the next owner.
 *
 * Nothing is synced: what a crash of the machine undoes is the lock of a process that died with it.
 */
export class DirectoryLock {
  readonly generation: number
  /** The note of the owner before, if it released the lock; `undefined` where it died. */
  readonly previousNote: unknown
  readonly #directory: string
  readonly #record: LockRecord
  #released = false

  private constructor(directory: string, generation: number, record: LockRecord, note: unknown) {
    this.#directory = directory
    this.generation = generation
    this.#record = record
    this.previousNote = note
  }

  /** Takes the lock of an existing directory at once, or throws `LockedError` naming its owner. */
  static async acquire(
    directory: string,
    options: { env?: Env; signal?: AbortSignal | undefined } = {},
  ): Promise<DirectoryLock> {
    const env = options.env ?? systemEnv
    const record: LockRecord = {
      format: 1,
      state: 'held',
      nonce: nonceFrom(env),
      owner: ownIdentity(),
    }
    for (;;) {
      options.signal?.throwIfAborted()
      const highest = highestOf(fs.readdirSync(directory))
      const found = highest === 0 ? undefined : await readRecord(directory, highest, env)
      if (found === 'gone') continue
      if (found !== undefined) assertFree(directory, highest, found)
      const generation = highest + 1
      if (!create(directory, generation, record)) continue
      const names = fs.readdirSync(directory)
      if (highestOf(names) > generation) {
        remove(pathOf(directory, generation))
        continue
      }
      const stale = staleAmong(names, generation)
      if (stale.length > MOST_STALE) clearAway(directory, stale)
      const note = found?.state === 'released' ? found.note : undefined
      return new DirectoryLock(directory, generation, record, note)
    }
  }

  /** What the lock says, for a reader that takes none. */
  static async inspect(directory: string, options: { env?: Env } = {}): Promise<LockInspection> {
    for (;;) {
      const generation = highestOf(fs.readdirSync(directory))
      if (generation === 0) return { generation, held: false, note: undefined }
      const record = await readRecord(directory, generation, options.env ?? systemEnv)
      if (record === 'gone') continue
      const held = record?.state === 'held' && livenessOf(record.owner) !== 'dead'
      return { generation, held, note: record?.state === 'released' ? record.note : undefined }
    }
  }

  /** Lets go. `note`, a small JSON value, is handed to the next owner. Idempotent. */
  release(note?: unknown): void {
    if (this.#released) return
    this.#released = true
    const record: LockRecord = { ...this.#record, state: 'released', note }
    const path = pathOf(this.#directory, this.generation)
    const temporary = temporaryOf(this.#directory, this.generation, record)
    try {
      clearAway(this.#directory, staleAmong(fs.readdirSync(this.#directory), this.generation))
      fs.writeFileSync(temporary, encodeLockRecord(record))
      fs.renameSync(temporary, path)
    } catch (error) {
      // The directory is gone, and the lock with it.
      if ((error as { code?: unknown }).code === 'ENOENT') return
      remove(temporary)
      this.#releaseInPlace(path)
    }
  }

  /**
   * On a full disk: over the record, without a note, in no more bytes than it has. Who reads it half
   * written takes it for nobody's, which it is.
   */
  #releaseInPlace(path: string): void {
    const length = encodeLockRecord(this.#record).length
    const { note: _, ...record } = this.#record
    const text = encodeLockRecord({ ...record, nonce: '', state: 'released' })
    const fd = fs.openSync(path, 'r+')
    try {
      fs.writeSync(
        fd,
        text
          .trimEnd()
          .padEnd(length - 1)
          .concat('\n'),
        0,
      )
    } finally {
      fs.closeSync(fd)
    }
  }
}

const NAME = /^LOCK-(\d{1,15})$/
const TEMPORARY_NAME = /^LOCK-(\d{1,15})-[0-9a-f]{16}\.tmp$/

function pathOf(directory: string, generation: number): string {
  return join(directory, `LOCK-${generation}`)
}

function temporaryOf(directory: string, generation: number, record: LockRecord): string {
  return join(directory, `LOCK-${generation}-${record.nonce}.tmp`)
}

/**
 * Not of `env.randomBytes`: the first draw of a process loads Web Crypto, which takes as long as all
 * the rest of opening a log. Racers for one generation need different names, and guard no secret.
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

/** Creates a generation with its whole content, or gives false where it exists. */
function create(directory: string, generation: number, record: LockRecord): boolean {
  const path = pathOf(directory, generation)
  const temporary = temporaryOf(directory, generation, record)
  fs.writeFileSync(temporary, encodeLockRecord(record))
  try {
    fs.linkSync(temporary, path)
    return true
  } catch (error) {
    const { code } = error as { code?: unknown }
    if (code === 'EEXIST') return false
    if (code !== 'EPERM' && code !== 'ENOTSUP' && code !== 'ENOSYS' && code !== 'EMLINK')
      throw error
    return createWithoutLinks(path, record)
  } finally {
    remove(temporary)
  }
}

/** For file systems without hard links: others may see it empty for a moment, see `readRecord`. */
function createWithoutLinks(path: string, record: LockRecord): boolean {
  try {
    fs.writeFileSync(path, encodeLockRecord(record), { flag: 'wx' })
    return true
  } catch (error) {
    if ((error as { code?: unknown }).code === 'EEXIST') return false
    throw error
  }
}

/** How often a lock file without content is looked at again, in case it is just being written. */
const LOOKS = 5
const LOOK_AGAIN_MS = 20

/** `undefined` for what a crash of the machine left of a record: nobody's. */
async function readRecord(
  directory: string,
  generation: number,
  env: Env,
): Promise<LockRecord | 'gone' | undefined> {
  for (let look = 1; ; look++) {
    let text: string
    try {
      text = fs.readFileSync(pathOf(directory, generation), 'utf8')
    } catch (error) {
      if ((error as { code?: unknown }).code === 'ENOENT') return 'gone'
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

function assertFree(directory: string, generation: number, { state, owner }: LockRecord): void {
  if (state === 'released') return
  const liveness = livenessOf(owner)
  if (liveness === 'dead') return
  const path = pathOf(directory, generation)
  if (liveness === 'alive') {
    const who = owner.pid === process.pid ? 'this process' : `process ${owner.pid}`
    throw new LockedError(
      `${directory} is open for writing in ${who}; close it there first, or open it here with mode 'read'`,
    )
  }
  throw new LockedError(
    `${directory} is open for writing in process ${owner.pid} on host ${owner.hostname}, which can't be asked from here; close it there, or, if that host is gone for good, delete ${path}`,
  )
}

/** How many files of owners that died may stay until somebody lets go. */
const MOST_STALE = 8

/** The files of generations that lie two or more behind this one. */
function staleAmong(names: readonly string[], generation: number): string[] {
  return names.filter((name) => {
    const match = NAME.exec(name) ?? TEMPORARY_NAME.exec(name)
    return match !== null && Number(match[1]) <= generation - 2
  })
}

/** What can't be removed stays: it only takes up room. */
function clearAway(directory: string, names: readonly string[]): void {
  try {
    for (const name of names) remove(join(directory, name))
  } catch {}
}
