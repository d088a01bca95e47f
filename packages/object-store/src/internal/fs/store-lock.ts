import path from 'node:path'
import type { Env } from '@firn/env'
import { codeOf, type FileSystem } from '@firn/vfs'
import type { Directories } from './directories.js'
import { LOCK_DIRECTORY } from './file-names.js'
import { ownerOf, ownName } from './temp-files.js'

/** A claim whose process may or may not be alive is broken after it was seen for this long. */
const BREAK_AFTER_MS = 30_000

/** Longest pause between two looks at the claims. */
const MAX_PAUSE_MS = 4

/**
 * Mutual exclusion between all processes that replace or delete objects of one directory.
 *
 * 1. A claim is an empty file in `,lock`, named `<random>.<machine>.<pid>.<started>`. Names are
 *    never used twice, so removing one can't hit a later claim.
 * 2. Make a claim, then read the directory. If there is no other live claim, the lock is held: of
 *    two claimants, the one that read later sees the other.
 * 3. Otherwise the claim with the smallest name stays and looks again; the others withdraw and
 *    retry after a pause. So one always makes progress.
 * 4. A claim of a process that is proven dead counts for nothing; any process that meets it removes
 *    it. If nothing is known (another machine or container, or facts that a process can't read
 *    about itself), and for a worker thread that was terminated, a waiter removes a claim that it
 *    has seen for `BREAK_AFTER_MS` of its own time.
 * 5. Right before it acts, the holder checks that its claim is still there. One case remains: a
 *    process that is stopped for that long exactly there, and seen only by processes that can't
 *    know it is alive.
 *
 * No wall clock is read. The cost without contention: create, readdir, unlink; about 0.1 ms.
 */
export class StoreLock {
  readonly #files: FileSystem
  readonly #env: Env
  readonly #directories: Directories
  readonly #directory: string
  /** Calls of this object wait here, not in the directory. */
  #queue: Promise<unknown> = Promise.resolve()

  constructor(files: FileSystem, env: Env, directories: Directories, base: string) {
    this.#files = files
    this.#env = env
    this.#directories = directories
    this.#directory = path.join(base, LOCK_DIRECTORY)
  }

  /**
   * Runs `action` while holding the lock. Just before its first change it calls `assertHeld`; if
   * that finds the lock lost, everything starts over.
   */
  hold<T>(
    signal: AbortSignal | undefined,
    action: (assertHeld: () => void) => Promise<T>,
  ): Promise<T> {
    const run = this.#queue.then(() => this.#holdNow(signal, action))
    this.#queue = run.catch(() => {})
    return run
  }

  async #holdNow<T>(
    signal: AbortSignal | undefined,
    action: (assertHeld: () => void) => Promise<T>,
  ): Promise<T> {
    for (;;) {
      const claim = await this.#acquire(signal)
      try {
        return await action(() => {
          if (!this.#exists(claim)) throw LOST
        })
      } catch (error) {
        if (error !== LOST) throw error
      } finally {
        await this.#withdraw(claim)
      }
    }
  }

  async #acquire(signal: AbortSignal | undefined): Promise<string> {
    const firstSeen = new Map<string, number>()
    for (let looks = 1; ; ) {
      signal?.throwIfAborted()
      const claim = await this.#claim()
      try {
        for (;;) {
          const others = await this.#others(claim, firstSeen)
          if (others.length === 0) return claim
          if (others.some((other) => other < claim)) break
          await this.#env.sleep(this.#pauseMs(looks++), signal)
          if (!this.#exists(claim)) break
        }
      } catch (error) {
        await this.#withdraw(claim)
        throw error
      }
      await this.#withdraw(claim)
      await this.#env.sleep(this.#pauseMs(looks++), signal)
    }
  }

  async #claim(): Promise<string> {
    for (let missing = false; ; ) {
      const name = ownName(this.#files, this.#env)
      try {
        await this.#directories.make(this.#directory)
        await this.#files.createFile(path.join(this.#directory, name), [])
        return name
      } catch (error) {
        const code = codeOf(error)
        if (code === 'ENOENT' && !missing) {
          missing = true
          this.#directories.forget()
        } else if (code !== 'EEXIST') throw error
      }
    }
  }

  /** The other claims that count. */
  async #others(claim: string, firstSeen: Map<string, number>): Promise<string[]> {
    const now = this.#env.monotonic()
    const others: string[] = []
    for (const { name } of await this.#files.list(this.#directory)) {
      const owner = ownerOf(name)
      if (name === claim || owner === undefined) continue
      const since = firstSeen.get(name) ?? now
      firstSeen.set(name, since)
      const isDead = this.#files.processes.livenessOfTag(owner) === 'dead'
      if (isDead || now - since >= BREAK_AFTER_MS) await this.#withdraw(name)
      else others.push(name)
    }
    return others
  }

  #pauseMs(looks: number): number {
    return this.#env.random() * Math.min(MAX_PAUSE_MS, looks)
  }

  #exists(claim: string): boolean {
    try {
      this.#files.statusSync(path.join(this.#directory, claim))
      return true
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return false
      throw error
    }
  }

  async #withdraw(claim: string): Promise<void> {
    await this.#files.remove(path.join(this.#directory, claim)).catch(() => {})
  }
}

const LOST: unique symbol = Symbol('the lock was lost')
