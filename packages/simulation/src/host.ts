import { type Database, type OpenOptions, open } from '@firn/engine'
import { Patience } from './abandoned.js'
import { assertExpected } from './expected-errors.js'
import { drawLifeLimits, type LifeLimits } from './limits.js'
import { LossWindow, type LostWrite } from './loss-window.js'
import { Session } from './session.js'
import type { Life, SimProcess } from './sim-process.js'
import type { Simulation } from './simulation.js'
import { Violation } from './violation.js'

export interface HostOptions {
  mode: 'write' | 'read'
  /**
   * The work of its clients: anything that the mode allows, or compacting while the others work.
   */
  work: 'anything' | 'compaction'
  compaction: 'inline' | 'off'
  /** How many clients work at once. */
  sessions: number
  /** How many operations they do in all. The run doesn't wait for a compactor's. */
  operations: number
}

/** How long buffered writes may stay unsynced. */
const FLUSH_INTERVALS_MS: readonly [number, ...number[]] = [1000, 0, 20, 200]
/** The longest pause before a failed open is retried. */
const REOPEN_MS = 500
/** The shortest and longest pause between two operations, by the kind of work. */
const THINK_MS = { anything: [0, 59], compaction: [20, 1000] } as const

/** A process that has the database open, with its clients. */
export class Host {
  readonly simulation: Simulation
  readonly process: SimProcess
  readonly options: HostOptions
  /** Operations that are still to be done. */
  left: number
  /** The database while it is open: calls on another one may fail with `ClosedError`. */
  current: Database | undefined
  /** Whether the database has reported that it accepts no writes before it is reopened. */
  isStopped = false
  readonly #flushIntervalMs: number
  /** The limits of the current life, once its database was requested. */
  lifeLimits: LifeLimits | undefined
  /** Checks what a crash takes of this process's buffered writes. */
  readonly lossWindow: LossWindow
  #life: Life | undefined
  #database: Promise<Database> | undefined
  #working = 0
  /** The newest version that this life has shown. */
  #newest = 0

  constructor(simulation: Simulation, process: SimProcess, options: HostOptions) {
    this.simulation = simulation
    this.process = process
    this.options = options
    this.left = options.operations
    const decisions = simulation.world.decisions.scope(process.name)
    this.#flushIntervalMs = decisions.pick('flushIntervalMs', FLUSH_INTERVALS_MS)
    this.lossWindow = new LossWindow(this.#flushIntervalMs)
  }

  get name(): string {
    return this.#life?.name ?? this.process.name
  }

  get life(): Life {
    if (this.#life === undefined) throw new Error(`${this.process.name} wasn't started`)
    return this.#life
  }

  /** Returns the open database; it may have to be opened first. */
  database(): Promise<Database> {
    this.#database ??= this.#open(this.life)
    return this.#database
  }

  /** Whether it may see buffered writes, which others see once they are in the log. */
  get buffers(): boolean {
    const { place } = this.simulation
    return place.kind === 'embedded' && this.options.mode === 'write'
  }

  /** Whether files that it holds may disappear: a directory's writer doesn't know its readers. */
  get losesFiles(): boolean {
    const { place } = this.simulation
    return place.kind === 'embedded' && this.options.mode === 'read'
  }

  /** Whether all its required operations are done. */
  get isDone(): boolean {
    return this.options.work === 'compaction' || (this.left === 0 && this.#working === 0)
  }

  /** Begins a life: opens the database, and the clients continue with the remaining operations. */
  start(): void {
    this.#life = this.process.start()
    this.#database = undefined
    this.current = undefined
    this.#newest = 0
    this.#working = 0
    for (let i = 0; i < this.options.sessions && i < this.left; i++) {
      void this.#work(new Session(this, `${this.name}/${i}`))
    }
  }

  crash(): void {
    const { world } = this.simulation
    this.life.alive = false
    this.lossWindow.crashed(this.life, world.nowMs)
    world.note(`${this.name} crashes`)
  }

  /** Closes the database and opens it again, while other clients of this process are at work. */
  async reopen(): Promise<void> {
    const closing = this.current
    if (closing === undefined) return
    this.current = undefined
    this.#newest = 0
    // A real directory, unlike this store, is locked until its database is closed.
    const { history, world } = this.simulation
    this.#database = closing
      .close()
      .then(() => {
        if (this.buffers) history.settle(Number.POSITIVE_INFINITY, world.nowMs)
      })
      .catch((error: unknown) => assertExpected(error, this, 'close'))
      .then(() => this.#open(this.life))
    await this.#database
  }

  /** Closes the database for good. */
  async close(): Promise<void> {
    const database = await this.database()
    this.current = undefined
    await database.close()
    const { history, world } = this.simulation
    if (this.buffers) history.settle(Number.POSITIVE_INFINITY, world.nowMs)
  }

  /** Checks that this process's version never goes back, and returns it. */
  see(database: Database): number {
    const { version } = database
    if (database !== this.current) return version
    if (version < this.#newest) {
      throw new Violation(`${this.name} showed version ${this.#newest}, and then ${version}`)
    }
    this.#newest = version
    return version
  }

  async #open(life: Life): Promise<Database> {
    const { place, limits, world, history } = this.simulation
    const { mode, compaction } = this.options
    const ofLife = drawLifeLimits(life.decisions.scope('limits'), this.simulation.theme)
    this.lifeLimits = ofLife
    const options: OpenOptions = {
      ...limits.options,
      ...ofLife,
      mode,
      compaction,
      flushIntervalMs: this.#flushIntervalMs,
      env: life.env,
      logger: {
        warn: (message, details) =>
          world.note(`${life.name} warns: ${message}: ${String(details?.['error'])}`),
      },
    }
    for (;;) {
      const { acknowledged } = history
      const garbledBefore = life.garbled
      const patience = this.#patience(life)
      const signal = patience?.signal
      try {
        const database = await open({
          ...place.partsFor(life, mode),
          ...options,
          ...place.cacheFor(life, ofLife),
          ...(signal === undefined ? {} : { signal }),
        })
        patience?.end()
        const { version } = database
        world.note(`${life.name} has version ${version} open`)
        if (version < acknowledged) {
          throw new Violation(
            `${life.name} opened version ${version}, but ${acknowledged} was acknowledged before`,
          )
        }
        if (this.buffers) this.#recover(history.recover(version, world.nowMs))
        this.current = database
        this.isStopped = false
        // Everything that it found is durable from here on.
        if (this.buffers) this.simulation.chaos.acknowledged(this, true)
        return database
      } catch (error) {
        patience?.end()
        assertExpected(error, this, 'open', { garbledBefore })
        await life.env.sleep(life.env.random() * REOPEN_MS)
      }
    }
  }

  /** If a disk fails, writes may be stopped long before the crash. */
  #recover(lost: readonly LostWrite[]): void {
    const wrong = this.lossWindow.recovered(lost)
    if (wrong !== undefined && !this.simulation.place.hadFaults) throw new Violation(wrong)
  }

  /** Some opens are given up, but none once nothing fails any more. */
  #patience(life: Life): Patience | undefined {
    if (!this.simulation.hasFaults) return undefined
    const decisions = life.decisions.scope('open')
    if (decisions.weigh('abandons', [9, 1]) === 0) return undefined
    return new Patience(life, 1 + decisions.choose('abandons after', 300))
  }

  async #work(session: Session): Promise<void> {
    this.#working++
    const { life } = this
    const { world } = this.simulation
    const [leastMs, mostMs] = THINK_MS[this.options.work]
    try {
      for (;;) {
        // A crash before the database is open has changed nothing: some process has to create it.
        await session.join()
        if (this.left === 0) break
        this.left--
        await session.step()
        if (this.isStopped) await this.reopen()
        await life.env.sleep(session.decisions.between('think', leastMs, mostMs))
      }
    } catch (error) {
      world.fail(
        error instanceof Violation
          ? error
          : new Violation(`${session.name} met an error that isn't Firn's`, { cause: error }),
      )
    }
    this.#working--
  }
}
