import type { Clock } from './clock.js'
import type { Decisions } from './decisions.js'
import type { Owner } from './event-queue.js'
import { Random } from './random.js'
import { SimEnv } from './sim-env.js'
import type { World } from './world.js'

/**
 * A process from its start to its crash. After the crash, nothing that it waits for arrives: no
 * timer, no answer. Requests that it had sent still arrive.
 */
export class Life implements Owner {
  /** The process whose life this is. */
  readonly process: SimProcess
  readonly world: World
  readonly name: string
  readonly env: SimEnv
  /** The random choices of this life. */
  readonly decisions: Decisions
  alive = true
  pausedUntil = 0
  /**
   * When the longest of its pauses ends. A later, shorter pause ends sooner, but events that were
   * due in the longer one still wait for this.
   */
  wokenMs = 0
  /** When the longest turn of its event loop ends. Nothing reaches it before. */
  busyUntilMs = 0
  /** How many answers reached it garbled. */
  garbled = 0

  constructor(process: SimProcess, world: World, name: string, random: Random) {
    this.process = process
    this.world = world
    this.name = name
    this.env = new SimEnv(this, process.clock, random)
    this.decisions = world.decisions.scope(name)
  }

  /** Schedules an event of this process. Returns a function that cancels it. */
  after(delayMs: number, what: string, run: () => void): () => void {
    return this.world.after(delayMs, this, `${this.name}: ${what}`, run)
  }
}

/** A place where a process runs, crashes and restarts. Its clocks outlive the process. */
export class SimProcess {
  readonly name: string
  readonly clock: Clock
  readonly #world: World
  readonly #seed: number
  #lives = 0

  constructor(world: World, name: string, clock: Clock, seed: number) {
    this.#world = world
    this.name = name
    this.clock = clock
    this.#seed = seed
  }

  start(): Life {
    const name = `${this.name}.${++this.#lives}`
    return new Life(this, this.#world, name, new Random(this.#seed, name))
  }
}
