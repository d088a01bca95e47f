import type { Write } from './history.js'
import type { Life } from './sim-process.js'

/**
 * Buffered writes gather for a millisecond; then the log may wait for some calls of a disk, of 8 ms
 * each.
 */
const PROCESS_MS = 100
/** A sync that is due waits for as much, and is one. */
const SYNC_MS = 100

/** A buffered write that a crash took, and when its writer was told of it. */
export interface LostWrite {
  write: Write
  atMs: number
}

/**
 * What a crash may take of a process's buffered writes: only the last ones. They outlive the
 * process when they were handed to the system, and its machine when they were synced.
 */
export class LossWindow {
  readonly #flushIntervalMs: number
  #life: Life | undefined
  #crashedMs = 0
  #withMachine = false

  /** By a clock of the process. */
  constructor(flushIntervalMs: number) {
    this.#flushIntervalMs = flushIntervalMs
  }

  /** A life ended. Until the database is open again the first end is the one that counts. */
  crashed(life: Life, nowMs: number): void {
    if (this.#life !== undefined) return
    this.#life = life
    this.#crashedMs = nowMs
  }

  /** So did its machine. */
  machineCrashed(): void {
    this.#withMachine = true
  }

  /** The database is open again, without these. Gives what is wrong with that. */
  recovered(lost: readonly LostWrite[]): string | undefined {
    const [life, crashedMs, withMachine] = [this.#life, this.#crashedMs, this.#withMachine]
    this.#life = undefined
    this.#withMachine = false
    if (life === undefined) return undefined
    const interval = withMachine ? this.#flushIntervalMs / life.process.clock.rate + SYNC_MS : 0
    const windowMs = PROCESS_MS + interval
    // A process that is paused hands nothing over, and syncs nothing.
    const isWrong = ({ atMs }: LostWrite): boolean =>
      crashedMs - Math.max(atMs, life.wokenMs) > windowMs
    const wrong = lost.find(isWrong)
    if (wrong === undefined) return undefined
    const { write, atMs } = wrong
    const what = withMachine ? 'crash of the machine' : 'crash of the process alone'
    return `${write.process}'s buffered ${write.what} was acknowledged ${Math.round(crashedMs - atMs)} ms before a ${what}, which took it`
  }
}
