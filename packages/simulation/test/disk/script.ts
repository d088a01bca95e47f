import { FileCommitLog } from '@firn/commit-log/file'
import { type Database, isFirnError, open, type Table, type WriteOptions } from '@firn/engine'
import type { Env } from '@firn/env'
import { MeteredObjectStore } from '@firn/object-store'
import { FsObjectStore } from '@firn/object-store/fs'
import { Random } from '../../src/random.js'
import { Violation } from '../../src/violation.js'
import type { DiskFiles } from './bench.js'
import type { Ledger, Put, Rows } from './ledger.js'

/** The script has so many chapters, each of so many operations, between opening and closing. */
export const CHAPTERS = 40
const OPERATIONS = 5

/** The table whose past never ends. */
export const ETERNAL = 'eternal'
const HISTORY = { [ETERNAL]: 'all', now: 'none', few: { versions: 2 } } as const
type TableName = keyof typeof HISTORY
const TABLES = Object.keys(HISTORY) as TableName[]
const KEYS = 12

const DIRECTORY = '/data/db'

// So small that ten operations meet every path: segments end, memtables are flushed, levels
// compacted, checkpoints written, the log truncated, batches spilled to files.
const SHAPE = {
  memtableBytes: 2500,
  cache: { memoryBytes: 8192 },
  tuning: {
    blockBytes: 300,
    targetFileBytes: 2500,
    levelBaseBytes: 5000,
    level0Trigger: 3,
    inlineLimitBytes: 700,
  },
}

/** Opens the database of the script as `file:` does, on a simulated disk. */
export function openOn(files: DiskFiles, env: Env): Promise<Database> {
  const store = new FsObjectStore(DIRECTORY, { env, fileSystem: files.fileSystem })
  return open(
    {
      // Metered: nobody shall see that it is a directory.
      store: new MeteredObjectStore(store),
      log: () =>
        FileCommitLog.open(DIRECTORY, { env, fileSystem: files.fileSystem, segmentBytes: 8192 }),
    },
    { env, compaction: 'inline', ...SHAPE },
  )
}

export function table(db: Database, name: string): Table<string, string> {
  return db.table<string, string>(name, {
    keys: 'utf8',
    values: 'utf8',
    history: HISTORY[name as TableName],
  })
}

/** All rows that there are, or that there were at a version. */
export async function rowsOf(db: Database, names: readonly string[] = TABLES): Promise<Rows> {
  const rows = new Map<string, string>()
  for (const name of names) {
    for await (const [key, value] of table(db, name).scan()) rows.set(`${name}/${key}`, value)
  }
  return rows
}

/** What may go wrong in a script whose disk fails. */
export interface Hazards {
  /** Told of each call that failed. Throws where it must not have. */
  failed(what: string, error: unknown): void
}

/** Runs chapters of the script: what they do follows from their number alone. */
export class Script {
  readonly #ledger: Ledger
  readonly #env: Env
  readonly #files: DiskFiles
  readonly #hazards: Hazards
  /** Of each kind of operation, how many were done. */
  readonly counts: Map<string, number> = new Map()
  #db: Database | undefined
  #values = 0
  /** Whether the database told that it accepts no writes any more. */
  #stopped = false

  constructor(ledger: Ledger, env: Env, files: DiskFiles, hazards: Hazards) {
    this.#ledger = ledger
    this.#env = env
    this.#files = files
    this.#hazards = hazards
  }

  async chapter(number: number): Promise<void> {
    const random = new Random(number, 'chapter')
    this.#values = number * 1_000_000
    for (let i = 0; i < OPERATIONS; i++) {
      if (this.#db === undefined && !(await this.#attempt('open', () => this.#open()))) continue
      const [name, run] = pickOperation(random)
      this.counts.set(name, (this.counts.get(name) ?? 0) + 1)
      await run(this, random)
    }
    await this.close()
  }

  get db(): Database {
    if (this.#db === undefined) throw new Error('the database is not open')
    return this.#db
  }

  async close(): Promise<void> {
    const db = this.#db
    if (db === undefined) return
    this.#db = undefined
    if (await this.#attempt('close', () => db.close())) this.#settle()
  }

  async write(puts: readonly Put[], options: WriteOptions = {}): Promise<void> {
    const write = this.#ledger.begin(puts)
    const wasStopped = this.#stopped
    await this.#attempt('write', async () => {
      const [put] = puts
      try {
        const commit =
          puts.length === 1 && put !== undefined
            ? await writeOne(this.db, put, options)
            : await writeBatch(this.db, puts, options)
        const durable = options.durability !== 'buffered'
        this.#ledger.acknowledge(write, commit.version, durable)
      } catch (error) {
        write.outcome = wasStopped ? 'refused' : 'failed'
        this.#stopped ||= isFirnError(error, 'FIRN_WRITE_STOPPED')
        throw error
      }
    })
  }

  /** Makes all that was written durable. */
  async flush(): Promise<void> {
    if (await this.#attempt('flush', () => this.db.flush())) this.#settle()
  }

  async compact(): Promise<void> {
    await this.#attempt('compact', async () => void (await this.db.compact()))
  }

  async reopen(): Promise<void> {
    await this.close()
    await this.#attempt('open', () => this.#open())
  }

  /** Reads, while nothing else happens. */
  async read(run: (db: Database, expected: Rows) => Promise<void>): Promise<void> {
    await this.#attempt('read', () => run(this.db, this.#ledger.present()))
  }

  /** A snapshot is held while something else happens. */
  async hold(meanwhile: () => Promise<void>): Promise<void> {
    await this.#attempt('read', async () => {
      const expected = this.#ledger.present()
      const snapshot = await this.db.snapshot()
      await meanwhile()
      const rows = new Map<string, string>()
      for (const name of TABLES) {
        const typed = snapshot.table<string, string>(name, { keys: 'utf8', values: 'utf8' })
        for await (const [key, value] of typed.scan()) rows.set(`${name}/${key}`, value)
      }
      await snapshot.close()
      assertSame(rows, expected)
    })
  }

  newPuts(random: Random, count: number, padding: number): Put[] {
    const puts = new Map<string, Put>()
    for (let i = 0; i < count; i++) {
      const name = TABLES[random.below(TABLES.length)] as string
      const key = `k${random.below(KEYS)}`
      const isDeleted = random.below(6) === 0
      const value = `${++this.#values}${'.'.repeat(random.below(padding))}`
      puts.set(`${name}/${key}`, { table: name, key, value: isDeleted ? undefined : value })
    }
    return [...puts.values()]
  }

  async #open(): Promise<void> {
    const db = await openOn(this.#files, this.#env)
    try {
      await this.#reconcile(db)
    } catch (error) {
      await this.#attempt('close', () => db.close())
      throw error
    }
    this.#db = db
    this.#stopped = false
  }

  /** Finds out which of the writes that may be lost are there. */
  async #reconcile(db: Database): Promise<void> {
    const { mark, writes } = this.#ledger
    const isSure = writes.every(({ outcome }, i) => outcome !== 'failed' && i < mark.durable)
    if (isSure) return
    const kept = this.#ledger.explain(await rowsOf(db), mark)
    if (kept === undefined) throw new Violation('no writes leave the rows that are there')
    for (const write of writes) if (!kept.includes(write)) write.outcome = 'refused'
    for (const write of kept) if (write.outcome === 'failed') write.outcome = 'acknowledged'
    this.#settle()
  }

  #settle(): void {
    this.#ledger.settle()
  }

  async #attempt(what: string, run: () => Promise<void>): Promise<boolean> {
    try {
      await run()
      return true
    } catch (error) {
      if (error instanceof Violation) throw error
      this.#hazards.failed(what, error)
      return false
    }
  }
}

type Operation = (script: Script, random: Random) => Promise<void>

const BUFFERED: WriteOptions = { durability: 'buffered' }

const OPERATION_KINDS: readonly (readonly [name: string, weight: number, Operation])[] = [
  ['put', 8, (script, random) => script.write(script.newPuts(random, 1, 60))],
  ['buffered put', 5, (script, random) => script.write(script.newPuts(random, 1, 60), BUFFERED)],
  ['batch', 4, (script, random) => script.write(script.newPuts(random, 6, 20))],
  ['buffered batch', 2, (script, random) => script.write(script.newPuts(random, 6, 20), BUFFERED)],
  ['large batch', 2, (script, random) => script.write(script.newPuts(random, 30, 120))],
  [
    'concurrent puts',
    3,
    async (script, random) => {
      const writes = Array.from({ length: 5 }, (_, i) =>
        script.write(script.newPuts(random, 1, 60), i % 2 === 0 ? {} : BUFFERED),
      )
      await Promise.all(writes)
    },
  ],
  ['flush', 2, (script) => script.flush()],
  ['compact', 1, (script) => script.compact()],
  ['reopen', 1, (script) => script.reopen()],
  [
    'scan',
    2,
    (script) => script.read(async (db, expected) => assertSame(await rowsOf(db), expected)),
  ],
  [
    'get',
    3,
    (script, random) =>
      script.read(async (db, expected) => {
        const name = TABLES[random.below(TABLES.length)] as string
        const key = `k${random.below(KEYS)}`
        const value = await table(db, name).get(key)
        if (value !== expected.get(`${name}/${key}`)) {
          throw new Violation(`${name}/${key} is ${value}, not ${expected.get(`${name}/${key}`)}`)
        }
      }),
  ],
  [
    'snapshot',
    2,
    (script, random) =>
      script.hold(async () => {
        await script.write(script.newPuts(random, 3, 60))
        await script.flush()
      }),
  ],
]

/** The names of all kinds of operations. */
export const OPERATION_NAMES: readonly string[] = OPERATION_KINDS.map(([name]) => name)

function pickOperation(random: Random): [string, Operation] {
  const total = OPERATION_KINDS.reduce((sum, [, weight]) => sum + weight, 0)
  let left = random.below(total)
  for (const [name, weight, run] of OPERATION_KINDS) {
    left -= weight
    if (left < 0) return [name, run]
  }
  throw new Error('weights add up to more than their sum')
}

function writeOne(db: Database, { table: name, key, value }: Put, options: WriteOptions) {
  const typed = table(db, name)
  return value === undefined ? typed.delete(key, options) : typed.put(key, value, options)
}

function writeBatch(db: Database, puts: readonly Put[], options: WriteOptions) {
  const batch = db.batch()
  for (const { table: name, key, value } of puts) {
    if (value === undefined) batch.delete(table(db, name), key)
    else batch.put(table(db, name), key, value)
  }
  return batch.write(options)
}

/** Throws where rows aren't what they should be. */
export function assertSame(rows: Rows, expected: Rows): void {
  const wrong = [...new Set([...rows.keys(), ...expected.keys()])].filter(
    (key) => rows.get(key) !== expected.get(key),
  )
  if (wrong.length === 0) return
  const [key = ''] = wrong
  throw new Violation(
    `${wrong.length} rows are wrong: ${key} is ${rows.get(key)}, not ${expected.get(key)}`,
  )
}
