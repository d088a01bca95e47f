import type { Write } from './history.js'
import type { Life } from './sim-process.js'

/**
 * Buffered writes gather for a millisecond. Then the log may wait for some disk calls of 8 ms each.
 */
const PROCESS_MS = 100
/** A due sync waits as long, and is such a call itself. */
const SYNC_MS = 100

/** A buffered write that a crash took, and when it was acknowledged. */
export interface LostWrite {
  write: Write
  atMs: number
}

/**
 * Checks what a crash takes of a process's buffered writes: only the last ones. Writes survive the
 * process once they were handed to the system, and its machine once they were synced.
 */
export class LossWindow {
  readonly #flushIntervalMs: number
  #life: Life | undefined
  #crashedMs = 0
  #withMachine = false

  /** `flushIntervalMs` is measured by a clock of the process. */
  constructor(flushIntervalMs: number) {
    this.#flushIntervalMs = flushIntervalMs
  }

  /** A life ended. Until the database is open again, only the first end counts. */
  crashed(life: Life, nowMs: number): void {
    if (this.#life !== undefined) return
    this.#life = life
    this.#crashedMs = nowMs
  }

  /** Its machine crashed too. */
  machineCrashed(): void {
    this.#withMachine = true
  }

  /** The database is open again without these writes. Returns what is wrong with that. */
  recovered(lost: readonly LostWrite[]): string | undefined {
    const [life, crashedMs, withMachine] = [this.#life, this.#crashedMs, this.#withMachine]
    this.#life = undefined
    this.#withMachine = false
    if (life === undefined) return undefined
    const interval = withMachine ? this.#flushIntervalMs / life.process.clock.rate + SYNC_MS : 0
    const windowMs = PROCESS_MS + interval
    // A paused process hands nothing over and syncs nothing.
    const isWrong = ({ atMs }: LostWrite): boolean =>
      crashedMs - Math.max(atMs, life.wokenMs) > windowMs
    const wrong = lost.find(isWrong)
    if (wrong === undefined) return undefined
    const { write, atMs } = wrong
    const what = withMachine ? 'crash of the machine' : 'crash of the process alone'
    return `${write.process}'s buffered ${write.what} was acknowledged ${Math.round(crashedMs - atMs)} ms before a ${what}, which took it`
  }
}
