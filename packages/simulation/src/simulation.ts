import { Chaos } from './chaos.js'
import { check } from './checker.js'
import { Clock } from './clock.js'
import type { Decisions } from './decisions.js'
import { History } from './history.js'
import { Host } from './host.js'
import { drawLimits, type Limits } from './limits.js'
import type { Operation } from './operations/operation.js'
import { drawWeights } from './operations/operations.js'
import { PLACE_KINDS, Place } from './place.js'
import { Recovery } from './recovery.js'
import { Replay } from './replay.js'
import { YIELDED } from './sim-env.js'
import { type Life, SimProcess } from './sim-process.js'
import { auditStore } from './store-audit.js'
import { drawTheme, type Theme } from './themes.js'
import { Violation } from './violation.js'
import { World } from './world.js'

const MINUTE_MS = 60_000
/** How long a workload may take, in virtual time: faults make some of it wait. */
const WORKLOAD_MS = 12 * 60 * MINUTE_MS
/** How long reading the log may take. */
const REPLAY_MS = 60 * MINUTE_MS

/** How many operations a process does, at least and at most. */
const OPERATIONS: readonly [least: number, most: number] = [10, 50]

/** How many problems are shown. */
const SHOWN_PROBLEMS = 3

/** One run: a database, its processes, what happens to them, and the checks at the end. */
export class Simulation {
  readonly world: World
  readonly history: History = new History()
  /** The theme of the run. */
  readonly theme: Theme
  readonly limits: Limits
  readonly place: Place
  /** How many keys a table has. */
  readonly keys: number
  readonly operations: Map<string, number> = new Map()
  /** How often each operation is done, relative to the others. */
  readonly weights: ReadonlyMap<Operation, number>
  readonly chaos: Chaos
  readonly #seed: number
  readonly #hosts: Host[]
  #values = 0
  /** Whether services and processes may still fail. */
  hasFaults = true

  constructor(decisions: Decisions, seed: number) {
    this.#seed = seed
    this.world = new World(decisions)
    const theme = drawTheme(decisions)
    this.theme = theme
    const kind = decisions.pick('place', theme.places ?? PLACE_KINDS)
    this.limits = drawLimits(decisions, theme)
    this.keys = decisions.pick('keys', theme.limits?.keys ?? [8, 40, 150])
    this.weights = drawWeights(decisions, theme)
    this.place = new Place(this.world, kind, this.limits, theme)
    this.#hosts = this.#drawHosts(decisions)
    this.chaos = new Chaos(this.world, this.#hosts, theme)
  }

  /** Runs to the end. Throws a `Violation` for the first thing that must not happen. */
  async run(): Promise<void> {
    const { world, chaos } = this
    world.note(
      `${this.theme.name}, ${this.place.kind}, ${this.#hosts.map(({ name }) => name).join(', ')}, ${JSON.stringify(this.limits)}`,
    )
    for (const host of this.#hosts) host.start()
    chaos.start()
    const isDone = (): boolean => this.#hosts.every((host) => host.isDone)
    await world.runUntil(isDone, { withinMs: WORKLOAD_MS, what: 'the workload' })
    this.chaos.end()
    for (const faults of this.place.faults) faults.end()
    const recovery = new Recovery(this, this.#hosts)
    // Errors that continue here must not be noticed.
    await recovery.withoutRestart()
    for (const faults of this.place.cacheFaults) faults.end()
    await recovery.afterRestart()
    if (this.place.kind === 'embedded') await recovery.onceMore()
    await this.#audit()
  }

  countOperation(name: string): void {
    this.operations.set(name, (this.operations.get(name) ?? 0) + 1)
  }

  /** The processes that write whatever their clients choose. */
  get writers(): readonly Host[] {
    return this.#hosts.filter(
      ({ options }) => options.mode === 'write' && options.work === 'anything',
    )
  }

  /** Returns a unique number. */
  nextValue(): number {
    return ++this.#values
  }

  /**
   * The version that a read of a process must show at least, because no read may be staler than
   * `maxStalenessMs`.
   */
  freshEnough({ process }: Host): number {
    const allowedMs = this.limits.maxStalenessMs / process.clock.rate
    return this.history.acknowledgedBefore(this.world.nowMs - allowedMs)
  }

  /** From now on nothing fails, and earlier faults explain no error. */
  endFaults(): void {
    this.hasFaults = false
  }

  /** Reads the log, and checks everything against it. */
  async #audit(): Promise<void> {
    // Nothing waits for the turn that ends a slice of time.
    const [afterClose] = (await this.world.runOut()).filter((what) => !what.endsWith(YIELDED))
    if (afterClose !== undefined) {
      throw new Violation(`all databases are closed, but one still waits for this: ${afterClose}`)
    }
    const held = this.#hosts.find(({ life }) => life.env.holds > 0)
    if (held !== undefined) {
      throw new Violation(`all databases are closed, but one still keeps ${held.name} alive`)
    }
    const auditor = this.#process('auditor').start()
    const replay = await this.#replay(auditor)
    const problems = check(this.history, replay)
    const writers = this.#hosts.filter(({ options }) => options.mode === 'write').length
    // Without inline records there is nothing to flush.
    const haveFlushed = this.limits.inlineLimitBytes > 0
    problems.push(...this.place.cacheLeftovers())
    problems.push(...auditStore({ place: this.place, replay, writers, haveFlushed }))
    if (problems.length === 0) return
    const more = problems.length - SHOWN_PROBLEMS
    const shown = problems.slice(0, SHOWN_PROBLEMS).join('\n')
    throw new Violation(more > 0 ? `${shown}\nand ${more} more` : shown)
  }

  async #replay(life: Life): Promise<Replay> {
    const { place, world } = this
    let replay: Replay | undefined
    const read = async (): Promise<void> => {
      const incarnation = await place.findIncarnation(life)
      const entries = await place.readLog(life, incarnation)
      replay = await Replay.of(entries, ({ id }) => place.fileBytes(incarnation, id))
    }
    read().catch((error: unknown) => {
      world.fail(new Violation(`the log can't be replayed: ${String(error)}`, { cause: error }))
    })
    const options = { withinMs: REPLAY_MS, what: 'replaying the log' }
    await world.runUntil(() => replay !== undefined, options)
    return replay as Replay
  }

  #drawHosts(decisions: Decisions): Host[] {
    const embedded = this.place.kind === 'embedded'
    const { theme } = this
    const writers = embedded ? 1 : decisions.pick('writers', theme.writers ?? [1, 2, 3])
    // Readers of a directory would have seen what is lost with its machine, so it doesn't crash
    // then.
    const usual = embedded ? ([0, 0, 1, 2] as const) : ([0, 1, 2] as const)
    const readers = decisions.pick('readers', theme.readers ?? usual)
    // Writers that don't compact wait for a process that does.
    const compaction = embedded ? 'inline' : decisions.pick('compaction', ['inline', 'off'])
    const hosts: Host[] = []
    for (let i = 1; i <= writers; i++) hosts.push(this.#host(`writer${i}`, 'write', compaction))
    for (let i = 1; i <= readers; i++) hosts.push(this.#host(`reader${i}`, 'read', 'off'))
    if (compaction === 'off') {
      const options = { mode: 'write', compaction: 'inline', work: 'compaction' } as const
      const endless = { ...options, sessions: 1, operations: Number.POSITIVE_INFINITY }
      hosts.push(new Host(this, this.#process('compactor'), endless))
    }
    return hosts
  }

  #host(name: string, mode: 'write' | 'read', compaction: 'inline' | 'off'): Host {
    const decisions = this.world.decisions.scope(name)
    return new Host(this, this.#process(name), {
      mode,
      compaction,
      work: 'anything',
      sessions: decisions.between('sessions', 1, 5),
      operations: decisions.between('operations', ...(this.theme.operations ?? OPERATIONS)),
    })
  }

  #process(name: string): SimProcess {
    const decisions = this.world.decisions.scope(name)
    const clock = new Clock({
      rate: 1 + decisions.around('clock rate', 100) / 1000,
      offsetMicros: decisions.around('clock offset', 10_000_000),
    })
    return new SimProcess(this.world, name, clock, this.#seed)
  }
}
