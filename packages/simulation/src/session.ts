import type { Commit, Database, Table } from '@firn/engine'
import type { Decisions } from './decisions.js'
import { assertExpected } from './expected-errors.js'
import type { At, Change, History, Seen } from './history.js'
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
}

/** A client: it does one operation after the other, and keeps a record of what it did and saw. */
export class Session {
  readonly name: string
  readonly host: Host
  readonly decisions: Decisions
  readonly history: History
  #database: Database | undefined

  constructor(host: Host, name: string) {
    this.host = host
    this.name = name
    this.decisions = host.simulation.world.decisions
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

  /** Does one operation, whichever comes up. */
  async step(): Promise<void> {
    const { host, decisions } = this
    await this.join()
    const operation = chooseOperation(decisions, host.options)
    host.simulation.countOperation(operation.name)
    host.simulation.world.note(`${this.name} begins ${operation.name}`)
    await operation.run(this)
  }

  table(name: string): TextTable {
    return this.db.table<string, string>(name, optionsOf(name))
  }

  pickTable(): string {
    return this.decisions.pick('table', TABLES).name
  }

  pickKey(): string {
    const { keys } = this.host.simulation
    const at = this.decisions.choose('key', keys)
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
  async write(
    what: string,
    changes: readonly Change[],
    send: () => Promise<Commit>,
  ): Promise<void> {
    const { history, host } = this
    const write = history.begin(this.name, what, changes)
    try {
      const commit = await send()
      history.acknowledge(write, commit, host.simulation.world.nowMs)
      this.#note(`${what} has version ${commit.version}`)
      // Who closed it meanwhile sees nothing any more.
      if (this.isOpen && host.see(this.db) < commit.version) {
        throw new Violation(
          `${this.name} was told version ${commit.version}, but its process doesn't see it`,
        )
      }
    } catch (error) {
      const code = this.expect(error, what)
      history.fail(write, code)
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
    return assertExpected(error, this.host, what, [...allowed, ...closed])
  }

  #note(what: string): void {
    this.host.simulation.world.note(`${this.name}: ${what}`)
  }
}

/** A read under way. */
export class RecordedRead {
  readonly #session: Session
  readonly #request: ReadRequest
  readonly #from: number
  #to: number | undefined

  constructor(session: Session, request: ReadRequest) {
    const { host, history, db } = session
    this.#session = session
    this.#request = request
    const seen = host.see(db)
    this.#from = Math.max(
      seen,
      request.fresh === true ? history.acknowledged : host.simulation.freshEnough(host),
    )
  }

  /** The read shows no later version than this process has seen by now. */
  hold(): void {
    this.#to ??= this.#session.db.version
  }

  end(seen: Seen): void {
    this.hold()
    const { history, name } = this.#session
    const { what, at } = this.#request
    history.read({ process: name, what, from: this.#from, to: this.#to ?? 0, at, seen })
    this.#session.host.simulation.world.note(`${name}: ${what} gave ${JSON.stringify(seen)}`)
  }

  /** Checks that it may fail so. */
  fail(error: unknown): void {
    const { host, name } = this.#session
    const { what, table, at } = this.#request
    const isPast = at !== undefined || this.#to !== undefined
    // What nobody keeps may be gone by the time it is asked for.
    const allowed = isPast && table !== ETERNAL ? ['FIRN_SNAPSHOT_EXPIRED'] : []
    const code = this.#session.expect(error, `${what} of ${table}`, allowed)
    host.simulation.world.note(`${name}: ${what} failed with ${code}`)
  }
}
