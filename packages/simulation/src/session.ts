import type { Commit, Database, Snapshot, Transaction } from '@firn/engine'
import { Patience } from './abandoned.js'
import { ClientBatch } from './client/client-batch.js'
import {
  ClientReads,
  ClientTable,
  ClientTransactionTable,
  type Kinds,
} from './client/client-table.js'
import { type CallOptions, ReusedInputs } from './client/reused-inputs.js'
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
import { pickMoment } from './moments.js'
import { chooseOperation } from './operations/operations.js'
import { type ReadRequest, RecordedRead } from './recorded-read.js'
import { optionsOf, TABLES } from './tables.js'
import { Violation } from './violation.js'

/** A write as an operation describes it. */
export interface WriteRequest {
  what: string
  changes: readonly Change[]
  /** What the same call wrote before to the same keys. */
  replaced?: readonly Change[]
  durability?: 'durable' | 'buffered'
  /** Codes of errors that it may end in besides those that faults explain. */
  allowed?: readonly string[]
}

/** A client: does one operation after the other, and records what it did and saw. */
export class Session {
  readonly name: string
  readonly host: Host
  /** The decisions of the current step. */
  decisions: Decisions
  readonly history: History
  readonly #decisions: Decisions
  /** The arrays and objects that it passes to the database. */
  readonly inputs: ReusedInputs = new ReusedInputs()
  readonly #handles: WeakMap<Database, Map<string, ClientTable>> = new WeakMap()
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

  /** Does one operation, as drawn; nothing, if that decision is removed. */
  async step(): Promise<void> {
    const { host } = this
    this.decisions = this.#decisions.scope(String(this.#steps++))
    await this.join()
    this.#garbledBefore = host.life.garbled
    const operation = chooseOperation(this.decisions, host.options, host.simulation.weights)
    if (operation === undefined) return
    host.simulation.countOperation(operation.name)
    host.simulation.world.note(`${this.name} begins ${operation.name}`)
    await operation.run(this)
    if (this.#patience !== undefined) await this.#endPatience(operation.name)
  }

  async #endPatience(what: string): Promise<void> {
    const patience = this.#patience
    this.#patience = undefined
    // Everything that follows from the end of its calls has happened when the next event comes.
    await this.host.life.env.yield()
    if (patience?.end() !== true) return
    throw new Violation(`${this.name}: ${what} is over, and still listens to its signal`)
  }

  /**
   * Returns a handle of a table: the same one while the database is open, whatever happens to the
   * table.
   */
  table(name: string): ClientTable {
    const { db } = this
    const handles = this.#handles.get(db) ?? new Map<string, ClientTable>()
    this.#handles.set(db, handles)
    let handle = handles.get(name)
    if (handle === undefined) {
      const options = optionsOf(name)
      handle = new ClientTable(db.table<unknown, unknown>(name, options), options, this.inputs)
      handles.set(name, handle)
    }
    return handle
  }

  /** Returns a table of a snapshot. */
  tableOf(snapshot: Snapshot, name: string): ClientReads {
    const options = optionsOf(name)
    return new ClientReads(snapshot.table<unknown, unknown>(name, options), options, this.inputs)
  }

  /** Returns a table that a transaction reads and writes. */
  tableIn(transaction: Transaction, name: string): ClientTransactionTable {
    const options: Kinds = optionsOf(name)
    const table = transaction.table<unknown, unknown>(name, options)
    return new ClientTransactionTable(table, options, this.inputs)
  }

  snapshot(options: Pick<CallOptions, 'at' | 'signal'>): Promise<Snapshot> {
    return this.inputs.pass((own) => this.db.snapshot(own.options(options)))
  }

  transaction(
    run: (transaction: Transaction) => Promise<void>,
    options: Pick<CallOptions, 'isolation' | 'attempts' | 'signal'>,
  ): Promise<void> {
    return this.inputs.pass((own) => this.db.transaction(run, own.options(options)))
  }

  batch(): ClientBatch {
    return new ClientBatch(this.db.batch(), this.inputs)
  }

  /**
   * Returns a signal for the call of a step: its client may give up waiting, sooner or later, or
   * before the call is made.
   */
  mayAbandon(): AbortSignal | undefined {
    const { decisions, host } = this
    if (decisions.weigh('abandons', [9, 1]) === 0) return undefined
    this.#patience = new Patience(host.life, decisions.choose('abandons after', 300))
    return this.#patience.signal
  }

  pickTable(): string {
    return this.decisions.pick('table', TABLES).name
  }

  /** `dull` is the dull choice: for a batch, another key for each change. */
  pickKey(dull = 0): string {
    return this.keyAt(dull + this.decisions.choose('key', this.host.simulation.keys))
  }

  /** Returns the key at a place among all keys. */
  keyAt(place: number): string {
    const at = place % this.host.simulation.keys
    // A few prefixes, and keys of different lengths.
    return `${'abcd'[at % 4]}${'-'.repeat(at % 3)}${at}`
  }

  /** Returns a value that was never written before, longer by `padding` characters. */
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
    const limited = decisions.choose('limited', 6)
    if (limited === 1 || limited === 2) range.limit = decisions.choose('limit', 12)
    // More than the engine reads at once.
    if (limited === 3) range.limit = decisions.between('long limit', 60, 140)
    return range
  }

  /** See `pickMoment` of moments.ts. */
  pickMoment(): At {
    return pickMoment(this)
  }

  /** Waits like a client that has something else to do. */
  pause(): Promise<void> {
    return this.host.life.env.sleep(this.decisions.choose('pause', 200))
  }

  /** Makes a write, and records what became of it. */
  async write(request: WriteRequest, send: (recorded: Write) => Promise<Commit>): Promise<void> {
    const { history, host } = this
    const { what, changes } = request
    const { world, place, chaos } = host.simulation
    // If other processes write, a version isn't known before it is in the log.
    const durability = place.kind === 'embedded' ? request.durability : 'durable'
    const write = history.begin(this.name, what, changes, { ...request, durability })
    try {
      const commit = await send(write)
      // Its acknowledgement means that buffered writes before it are durable, too.
      const tellsOfOthers = write.durability === 'durable' && history.isBuffering
      // A transaction that only read may have seen buffered writes.
      if (write.changes.length === 0 && host.buffers) history.end(write, commit)
      else history.acknowledge(write, commit, world.nowMs)
      chaos.acknowledged(host, tellsOfOthers)
      this.#note(`${what} has version ${commit.version}`)
      // If the database was closed meanwhile, this client sees nothing any more.
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

  /** Makes a read that returns everything at once, and records what it saw. */
  async read(request: ReadRequest, run: () => Promise<Seen>): Promise<void> {
    const recorded = this.beginRead(request)
    try {
      const seen = await run()
      recorded.end(seen)
    } catch (error) {
      recorded.fail(error)
    }
  }

  /**
   * Begins a read. It shows the database as of a version that became the newest between here and
   * `hold`.
   */
  beginRead(request: ReadRequest): RecordedRead {
    return new RecordedRead(this, request)
  }

  /** Runs an operation that may work or fail. */
  async attempt(what: string, run: () => Promise<void>): Promise<void> {
    try {
      await run()
    } catch (error) {
      const code = this.expect(error, what)
      this.#note(`${what} failed with ${code}`)
    }
  }

  /** Whether the operation's database hasn't been closed since it began. */
  get isOpen(): boolean {
    return this.#database === this.host.current
  }

  /** Throws a `Violation` unless a call may end in this error. Returns the error's code. */
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
