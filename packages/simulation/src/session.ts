import type { Commit, Database, Table } from '@firn/engine'
import { Patience } from './abandoned.js'
import type { Decisions } from './decisions.js'
import { assertExpected } from './expected-errors.js'
import {
  ABANDONED,
  ABANDONED_BEFORE,
  type At,
  type Change,
  type History,
  type Seen,
  type Write,
} from './history.js'
import type { Host } from './host.js'
import type { KeyRange } from './key-range.js'
import { chooseOperation } from './operations/operations.js'
import { ETERNAL, optionsOf, TABLES } from './tables.js'
import { Violation } from './violation.js'

export type TextTable = Table<string, string>

/** A read as an operation describes it. */
export interface ReadRequest {
  what: string
  /** The tables that are read. */
  table: string
  at?: At
  /** Whether it looks at the log first. */
  fresh?: boolean
  /** Whether it never does: it shows what the process sees. */
  stale?: boolean
  /** The oldest and the newest version that were the present when it was made. Default: found out. */
  present?: { from: number; to: number }
  /** Whether what it shows is held for it. */
  held?: boolean
  /** Whether it reads single keys of the present; see `Read.growing`. */
  single?: boolean
  /** Codes of errors that it may end in besides those that faults explain. */
  allowed?: readonly string[]
}

/** A write as an operation describes it. */
export interface WriteRequest {
  what: string
  changes: readonly Change[]
  /** What the same call wrote before, to the same keys. */
  replaced?: readonly Change[]
  durability?: 'durable' | 'buffered'
  /** Codes of errors that it may end in besides those that faults explain. */
  allowed?: readonly string[]
}

/** A client: it does one operation after the other, and keeps a record of what it did and saw. */
export class Session {
  readonly name: string
  readonly host: Host
  /** Those of the step that runs. */
  decisions: Decisions
  readonly history: History
  readonly #decisions: Decisions
  readonly #handles: WeakMap<Database, Map<string, TextTable>> = new WeakMap()
  #patience: Patience | undefined
  #steps = 0
  #garbledBefore = 0
  #database: Database | undefined

  constructor(host: Host, name: string) {
    this.host = host
    this.name = name
    this.#decisions = host.simulation.world.decisions.scope(name)
    this.decisions = this.#decisions
    this.history = host.simulation.history
  }

  /** The database, while an operation runs. */
  get db(): Database {
    if (this.#database === undefined) throw new Error('no operation is running')
    return this.#database
  }

  /** Waits until the database is open. */
  async join(): Promise<void> {
    this.#database = await this.host.database()
    this.host.see(this.db)
  }

  /** Does one operation, whichever comes up; nothing, when that is left out. */
  async step(): Promise<void> {
    const { host } = this
    this.decisions = this.#decisions.scope(String(this.#steps++))
    await this.join()
    this.#garbledBefore = host.life.garbled
    const operation = chooseOperation(this.decisions, host.options)
    if (operation === undefined) return
    host.simulation.countOperation(operation.name)
    host.simulation.world.note(`${this.name} begins ${operation.name}`)
    await operation.run(this)
    if (this.#patience !== undefined) await this.#endPatience(operation.name)
  }

  async #endPatience(what: string): Promise<void> {
    const patience = this.#patience
    this.#patience = undefined
    // What follows from the end of its calls has happened when the next event comes.
    await this.host.life.env.yield()
    if (patience?.end() !== true) return
    throw new Violation(`${this.name}: ${what} is over, and still listens to its signal`)
  }

  /** A handle of a table, the same one as long as the database is open: whatever becomes of the table. */
  table(name: string): TextTable {
    const { db } = this
    const handles = this.#handles.get(db) ?? new Map<string, TextTable>()
    this.#handles.set(db, handles)
    const handle = handles.get(name) ?? db.table<string, string>(name, optionsOf(name))
    handles.set(name, handle)
    return handle
  }

  /** For the call of a step that its client may give up waiting for, sooner or later, or before it is made. */
  mayAbandon(): AbortSignal | undefined {
    const { decisions, host } = this
    if (decisions.weigh('abandons', [9, 1]) === 0) return undefined
    this.#patience = new Patience(host.life, decisions.choose('abandons after', 300))
    return this.#patience.signal
  }

  pickTable(): string {
    return this.decisions.pick('table', TABLES).name
  }

  /** `dull` is the dull choice: that of a batch is another key for each change. */
  pickKey(dull = 0): string {
    const { keys } = this.host.simulation
    const at = (dull + this.decisions.choose('key', keys)) % keys
    // A few prefixes, and keys of different lengths.
    return `${'abcd'[at % 4]}${'-'.repeat(at % 3)}${at}`
  }

  /** A value that was never written before, with so many characters more. */
  newValue(padding = 0): string {
    return `${this.host.simulation.nextValue()}:${this.host.process.name}${'.'.repeat(padding)}`
  }

  pickRange(): KeyRange {
    const { decisions } = this
    const range: KeyRange = {}
    switch (decisions.choose('range', 4)) {
      case 1:
        range.prefix = decisions.pick('prefix', ['a', 'b', 'c-', 'd--', 'a1'])
        break
      case 2:
        range[decisions.pick('lower', ['gt', 'gte'])] = this.pickKey()
        break
      case 3:
        range[decisions.pick('lower', ['gt', 'gte'])] = this.pickKey()
        range[decisions.pick('upper', ['lt', 'lte'])] = this.pickKey()
        break
    }
    if (decisions.choose('reverse', 2) === 1) range.reverse = true
    if (decisions.choose('limited', 3) === 1) range.limit = decisions.choose('limit', 12)
    return range
  }

  /** A moment of the past, or of what this process hasn't seen yet; `undefined` before the first commit. */
  pickMoment(): At {
    const { decisions, history } = this
    const commit = history.commit(decisions.choose('age', 40))
    if (commit === undefined) return undefined
    if (decisions.choose('by', 2) === 0) {
      return { version: decisions.between('version', 1, this.db.version) }
    }
    return { timestamp: commit.timestamp + decisions.between('around', -1, 1) }
  }

  /** Waits as a client does that has something else to do. */
  pause(): Promise<void> {
    return this.host.life.env.sleep(this.decisions.choose('pause', 200))
  }

  /** Makes a write, and records what became of it. */
  async write(request: WriteRequest, send: (recorded: Write) => Promise<Commit>): Promise<void> {
    const { history, host } = this
    const { what, changes } = request
    const { world, place } = host.simulation
    // Where others write, a version isn't known before it is in the log.
    const durability = place.kind === 'embedded' ? request.durability : 'durable'
    const write = history.begin(this.name, what, changes, { ...request, durability })
    try {
      const commit = await send(write)
      history.acknowledge(write, commit, world.nowMs)
      this.#note(`${what} has version ${commit.version}`)
      // Who closed it meanwhile sees nothing any more.
      if (this.isOpen && host.see(this.db) < commit.version) {
        throw new Violation(
          `${this.name} was told version ${commit.version}, but its process doesn't see it`,
        )
      }
    } catch (error) {
      const code = this.expect(error, what, request.allowed)
      const isBefore = code === ABANDONED && this.#patience?.endedBefore === true
      history.fail(write, isBefore ? ABANDONED_BEFORE : code)
      this.#note(`${what} failed with ${code}`)
    }
  }

  /** Makes a read that gives all it gives at once, and records what it saw. */
  async read(request: ReadRequest, run: () => Promise<Seen>): Promise<void> {
    const recorded = this.beginRead(request)
    try {
      const seen = await run()
      recorded.end(seen)
    } catch (error) {
      recorded.fail(error)
    }
  }

  /** Begins a read. It shows the database as of a version that was new between here and `hold`. */
  beginRead(request: ReadRequest): RecordedRead {
    return new RecordedRead(this, request)
  }

  /** An operation that only may or may not work. */
  async attempt(what: string, run: () => Promise<void>): Promise<void> {
    try {
      await run()
    } catch (error) {
      const code = this.expect(error, what)
      this.#note(`${what} failed with ${code}`)
    }
  }

  /** Whether what the operation works with hasn't been closed since it began. */
  get isOpen(): boolean {
    return this.#database === this.host.current
  }

  /** Throws a `Violation` unless a call may end in this error; gives its code. */
  expect(error: unknown, what: string, allowed: readonly string[] = []): string {
    const closed = this.isOpen ? [] : ['FIRN_CLOSED']
    const garbledBefore = this.#garbledBefore
    return assertExpected(error, this.host, what, {
      allowed: [...allowed, ...closed],
      garbledBefore,
    })
  }

  #note(what: string): void {
    this.host.simulation.world.note(`${this.name}: ${what}`)
  }
}

/** A read under way. */
export class RecordedRead {
  readonly #session: Session
  readonly #request: ReadRequest
  /** The oldest version that may be the present when it is made. */
  readonly from: number
  readonly #timeline: number | undefined
  #to: number | undefined

  constructor(session: Session, request: ReadRequest) {
    const { host, history, db } = session
    this.#session = session
    this.#request = request
    this.#timeline = host.buffers ? history.losses.length : undefined
    const seen = host.see(db)
    if (request.present !== undefined) {
      this.from = request.present.from
      this.#to = request.present.to
    } else if (request.stale === true) this.from = seen
    else if (request.fresh === true) this.from = Math.max(seen, history.acknowledged)
    else this.from = Math.max(seen, host.simulation.freshEnough(host))
  }

  /** The newest one; once it holds. */
  get to(): number {
    return this.#to ?? this.#session.db.version
  }

  /** The read shows no later version than this process has seen by now. */
  hold(): void {
    this.#to ??= this.#session.db.version
  }

  end(seen: Seen): void {
    this.hold()
    const { history, name } = this.#session
    const { what, at } = this.#request
    const [from, timeline] = [this.from, this.#timeline]
    const growing = this.#request.single === true && timeline !== undefined
    history.read({ process: name, what, from, to: this.to, at, timeline, growing, seen })
    this.#session.host.simulation.world.note(`${name}: ${what} gave ${JSON.stringify(seen)}`)
  }

  /** Checks that it may fail so. */
  fail(error: unknown): void {
    const { host, name } = this.#session
    const { what, table, at, allowed: own = [] } = this.#request
    const isPast = at !== undefined || this.#to !== undefined
    // What nobody keeps may be gone by the time it is asked for.
    const expires = host.losesFiles || (isPast && this.#request.held !== true)
    const allowed = expires && table !== ETERNAL ? [...own, 'FIRN_SNAPSHOT_EXPIRED'] : own
    const code = this.#session.expect(error, `${what} of ${table}`, allowed)
    host.simulation.world.note(`${name}: ${what} failed with ${code}`)
  }
}
