import type { FileSystem } from '@firn/vfs'
import { Clock } from '../../src/clock.js'
import { Decisions } from '../../src/decisions.js'
import type { DiskUser, DiskWeather } from '../../src/disk/disk-user.js'
import type { Machine } from '../../src/disk/machine.js'
import { simFileSystem } from '../../src/disk/sim-file-system.js'
import { type Life, SimProcess } from '../../src/sim-process.js'
import { Violation } from '../../src/violation.js'
import { World } from '../../src/world.js'

/** Longer than anything takes whose time is virtual. */
const WITHIN_MS = 3_600_000

/** The calls that a process makes. */
export interface DiskFiles {
  user: DiskUser
  fileSystem: FileSystem
}

/** A process on a machine, in a world of its own in which nothing else happens. */
export class Bench {
  readonly world: World
  readonly life: Life
  readonly files: DiskFiles

  constructor(machine: Machine, weather: DiskWeather, seed: number) {
    this.world = new World(new Decisions(seed, new Map()))
    const clock = new Clock({ rate: 1, offsetMicros: seed * 10_000_000 })
    const name = `process${machine.boot}`
    this.life = new SimProcess(this.world, name, clock, seed).start()
    this.life.env.hasBusyTurns = false
    const user = machine.userFor(this.life, weather)
    this.files = { user, fileSystem: simFileSystem(user) }
  }

  /**
   * Runs something to its end. Throws a `Violation` where it never ends. Stops whenever `pause`
   * says so, until what that gave is done.
   */
  async run<T>(
    what: string,
    work: () => Promise<T>,
    pause?: () => Promise<void> | undefined,
  ): Promise<T> {
    let outcome: { value: T } | { error: unknown } | undefined
    work().then(
      (value) => {
        outcome = { value }
      },
      (error: unknown) => {
        outcome = { error }
      },
    )
    const options = { withinMs: WITHIN_MS, what }
    let pausing: Promise<void> | undefined
    const isDue = (): boolean => {
      pausing = pause?.()
      return outcome !== undefined || pausing !== undefined
    }
    for (;;) {
      await this.world.runUntil(isDue, options)
      await pausing
      if (outcome === undefined) continue
      if ('error' in outcome) throw outcome.error
      return outcome.value
    }
  }

  /** The process dies. */
  kill(): void {
    this.life.alive = false
  }
}

/** A disk that works. A call takes a tenth of a millisecond. */
export const CALM: DiskWeather = { meet: () => undefined, latencyMs: () => 0.1 }

/** An error as a test of many runs shows it. */
export function told(where: string, error: unknown): Error {
  const violation = error instanceof Error ? error : new Violation(String(error))
  return new Error(`${where}: ${violation.message}`, { cause: error })
}
