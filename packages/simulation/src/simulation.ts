import { Chaos } from './chaos.js'
import { check } from './checker.js'
import { Clock } from './clock.js'
import type { Decisions } from './decisions.js'
import { History } from './history.js'
import { Host } from './host.js'
import { drawLimits, type Limits } from './limits.js'
import { PLACE_KINDS, Place } from './place.js'
import { Replay } from './replay.js'
import { Session } from './session.js'
import { type Life, SimProcess } from './sim-process.js'
import { ETERNAL, TABLES } from './tables.js'
import { Violation } from './violation.js'
import { World } from './world.js'

const MINUTE_MS = 60_000
/** How long a workload may take, in virtual time: with faults, some of it has to wait. */
const WORKLOAD_MS = 12 * 60 * MINUTE_MS
/** When nothing fails any more, everything goes on within this. */
const RECOVERY_MS = 60 * MINUTE_MS

/** How many problems are told of. */
const SHOWN_PROBLEMS = 3

/** One run: a database, its processes, what happens to them, and what is found out about it in the end. */
export class Simulation {
  readonly world: World
  readonly history: History = new History()
  readonly limits: Limits
  readonly place: Place
  /** How many keys a table has. */
  readonly keys: number
  readonly operations: Map<string, number> = new Map()
  readonly chaos: Chaos
  readonly #seed: number
  readonly #hosts: Host[]
  #values = 0
  /** Whether services and processes may still fail. */
  hasFaults = true

  constructor(decisions: Decisions, seed: number) {
    this.#seed = seed
    this.world = new World(decisions)
    const kind = decisions.pick('place', [...PLACE_KINDS, 'objects', 'dynamodb'])
    this.limits = drawLimits(decisions)
    this.keys = decisions.pick('keys', [8, 40, 150])
    this.place = new Place(this.world, kind, this.limits)
    this.#hosts = this.#drawHosts(decisions)
    this.chaos = new Chaos(this.world, this.#hosts)
  }

  /** Runs it to its end. Throws a `Violation` for the first thing that must not be. */
  async run(): Promise<void> {
    const { world, chaos } = this
    world.note(
      `${this.place.kind}, ${this.#hosts.map(({ name }) => name).join(', ')}, ${JSON.stringify(this.limits)}`,
    )
    for (const host of this.#hosts) host.start()
    chaos.start()
    const isDone = (): boolean => this.#hosts.every((host) => host.isDone)
    await world.runUntil(isDone, { withinMs: WORKLOAD_MS, what: 'the workload' })
    await this.#recover()
    await this.#audit()
  }

  countOperation(name: string): void {
    this.operations.set(name, (this.operations.get(name) ?? 0) + 1)
  }

  /** Unlike every other. */
  nextValue(): number {
    return ++this.#values
  }

  /** What a read of a process must show at least, as no read may be staler than `maxStalenessMs`. */
  freshEnough({ process }: Host): number {
    const allowedMs = this.limits.maxStalenessMs / process.clock.rate
    return this.history.acknowledgedBefore(this.world.nowMs - allowedMs)
  }

  /** Nothing fails any more: every process starts anew, works, and sees what all others did. */
  async #recover(): Promise<void> {
    const { world } = this
    this.chaos.end()
    for (const faults of this.place.faults) faults.end()
    this.hasFaults = false
    world.note('the faults end')
    for (const host of this.#hosts) {
      if (host.life.alive) host.crash()
      host.left = 0
      host.start()
    }
    await this.#inAll('recovery', async (host, session) => {
      if (host.options.mode === 'read') return
      const change = { table: ETERNAL, key: session.pickKey(), value: session.newValue() }
      const { table, key, value } = change
      await session.write('put', [change], () => session.table(table).put(key, value))
    })
    await this.#inAll('a look at everything', (_, session) => this.#readAll(session))
    const [first, ...others] = this.#hosts
    await this.#inAll('compaction', async (host, session) => {
      if (host === first) await session.db.compact()
    })
    // Whoever compacted, and somebody who has to find the files anew.
    const readers = [first, others.at(-1)]
    await this.#inAll('another look', async (host, session) => {
      if (readers.includes(host)) await this.#readAll(session)
    })
    await this.#inAll('closing', (host) => host.close())
  }

  /** Lets every process do something, all at once. */
  async #inAll(what: string, run: (host: Host, session: Session) => Promise<void>): Promise<void> {
    let running = this.#hosts.length
    for (const host of this.#hosts) {
      const session = new Session(host, `${host.name}/${what}`)
      const done = async (): Promise<void> => {
        await session.join()
        await run(host, session)
        running--
      }
      done().catch((error: unknown) => {
        this.world.fail(
          error instanceof Violation
            ? error
            : new Violation(`${host.name}: ${what} failed: ${String(error)}`, { cause: error }),
        )
      })
    }
    await this.world.runUntil(() => running === 0, { withinMs: RECOVERY_MS, what })
  }

  /** Every table whole, as it is now and, where its past never ends, as it was. */
  async #readAll(session: Session): Promise<void> {
    await session.db.refresh()
    for (const { name: table } of TABLES) {
      await session.read({ what: 'last scan', table, fresh: true }, async () => {
        const rows = await session.table(table).scan({ fresh: true }).toArray()
        return { kind: 'rows', table, range: {}, rows, whole: true }
      })
    }
    for (let i = 0; i < 2; i++) {
      const at = { version: session.decisions.between('version', 1, session.db.version) }
      await session.read({ what: 'last scan', table: ETERNAL, at }, async () => {
        const rows = await session.table(ETERNAL).scan({ at }).toArray()
        return { kind: 'rows', table: ETERNAL, range: {}, rows, whole: true }
      })
    }
  }

  /** Reads the log, and holds everything against it. */
  async #audit(): Promise<void> {
    const [afterClose] = await this.world.runOut()
    if (afterClose !== undefined) {
      throw new Violation(`all databases are closed, but one still waits for this: ${afterClose}`)
    }
    const auditor = this.#process('auditor').start()
    const replay = await this.#replay(auditor)
    const problems = check(this.history, replay)
    for (const file of replay.liveFiles()) {
      if (this.place.hasFile(replay.state.incarnation, file.id)) continue
      problems.push(`file ${file.id} is part of the database, but isn't in the store`)
    }
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
    const options = { withinMs: RECOVERY_MS, what: 'replaying the log' }
    await world.runUntil(() => replay !== undefined, options)
    return replay as Replay
  }

  #drawHosts(decisions: Decisions): Host[] {
    const embedded = this.place.kind === 'embedded'
    const writers = embedded ? 1 : decisions.between('writers', 1, 3)
    const readers = embedded ? 0 : decisions.choose('readers', 3)
    // Writers that don't compact wait for somebody who does.
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
    const { decisions } = this.world
    return new Host(this, this.#process(name), {
      mode,
      compaction,
      work: 'anything',
      sessions: decisions.between('sessions', 1, 3),
      operations: decisions.between('operations', 10, 50),
    })
  }

  #process(name: string): SimProcess {
    const { decisions } = this.world
    const clock = new Clock({
      rate: 1 + decisions.between('clock rate', -100, 100) / 1000,
      offsetMicros: decisions.between('clock offset', -10_000_000, 10_000_000),
    })
    return new SimProcess(this.world, name, clock, this.#seed)
  }
}
