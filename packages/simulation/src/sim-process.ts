import type { Clock } from './clock.js'
import type { Decisions } from './decisions.js'
import type { Owner } from './event-queue.js'
import { Random } from './random.js'
import { SimEnv } from './sim-env.js'
import type { World } from './world.js'

/**
 * A process from its start to its crash. After that, nothing that it waits for ever comes: no
 * timer, no answer. What it had sent is on its way all the same.
 */
export class Life implements Owner {
  /** Where it runs. */
  readonly process: SimProcess
  readonly world: World
  readonly name: string
  readonly env: SimEnv
  /** What is left to chance in this life. */
  readonly decisions: Decisions
  alive = true
  pausedUntil = 0
  /**
   * When the longest of its pauses ends. A later and shorter one ends sooner, but what was due in the
   * longer one still waits for this.
   */
  wokenMs = 0
  /** When the turn of its event loop ends that takes longest. Nothing reaches it before. */
  busyUntilMs = 0
  /** How many answers reached it that were garbled on their way. */
  garbled = 0

  constructor(process: SimProcess, world: World, name: string, random: Random) {
    this.process = process
    this.world = world
    this.name = name
    this.env = new SimEnv(this, process.clock, random)
    this.decisions = world.decisions.scope(name)
  }

  /** Schedules what happens to this process; gives how to cancel it. */
  after(delayMs: number, what: string, run: () => void): () => void {
    return this.world.after(delayMs, this, `${this.name}: ${what}`, run)
  }
}

/** A place where a process runs, crashes and is started anew. Its clocks outlive it. */
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
