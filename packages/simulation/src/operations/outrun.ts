import type { Transaction } from '@firn/engine'
import type { Change, Row, Seen } from '../history.js'
import type { KeyRange } from '../key-range.js'
import type { Session } from '../session.js'
import { drop } from './drops.js'
import type { Operation } from './operation.js'
import { handled, rivalOf, soon } from './rival.js'
import { countRange, hasKey, inTransaction, readKeys, readRange, writeAll } from './transactions.js'
import { fillTable, writeOne } from './writes.js'

/** Moves during a transaction, and how often each is made, relative to the others. */
const MOVES = [
  ['write', 6],
  ['fill a memtable', 6],
  ['write a file', 3],
  ['evict', 3],
  ['refresh', 3],
  ['compact', 1],
  ['flush', 1],
  ['drop', 1],
] as const

type Move = (typeof MOVES)[number][0]

/** Weights for a transaction that reads nothing: its table is dropped. */
const BLIND_MOVES: readonly number[] = [2, 1, 1, 1, 1, 0, 1, 6]
const WEIGHTS: readonly number[] = MOVES.map(([, weight]) => weight)

/** The length of values that fill a memtable: several of them fill a small one. */
const PADDING = 500
/** The latest moment of a move during the commit. */
const BEHIND_MS: readonly [number, ...number[]] = [20, 100, 400]

/**
 * A transaction that others outrun. Before and during its commit, its own process or another one
 * writes what it has read, or something beside it, and buries that in memtables, files and deeper
 * levels, in any order.
 */
export const outrunTransaction: Operation = {
  name: 'outrun transaction',
  weight: 4,
  writes: true,
  async run(session) {
    const { decisions } = session
    const table = session.pickTable()
    if (decisions.choose('fills', 2) === 1) await fillTable(session, table)
    // Its own process writes after it has read; another one also writes during its validation.
    const rival = decisions.choose('by', 3) === 0 ? undefined : await rivalOf(session)
    const under: Promise<void>[] = []
    let amid: Promise<void> | undefined
    const run = (): Promise<void> =>
      inTransaction(
        session,
        'outrun transaction',
        async (tx) => {
          const reads = await readSome(session, tx, table)
          const changes = pickChanges(session, table)
          await writeAll(session, tx, changes)
          // Mostly, they wait for each other and commit in one group.
          if (amid === undefined) {
            const outrun = new Outrun(session, rival ?? session, table, reads)
            amid = outrun.amid()
            await amid
            under.push(outrun.behind())
          } else await soon(session, amid)
          return { reads, changes }
        },
        { isPatient: true, attempts: decisions.between('attempts', 1, 3) },
      )
    // Transactions that come together share an entry, and each is validated by itself.
    const together = decisions.weigh('together', [2, 1, 1])
    await Promise.all(Array.from({ length: 1 + together }, run))
    await soon(session, Promise.all(under))
  },
}

function pickChanges(session: Session, table: string): Change[] {
  const { decisions } = session
  const key = session.pickKey()
  const deletes = decisions.choose('deletes', 6) === 5
  const of = decisions.choose('elsewhere', 4) === 3 ? session.pickTable() : table
  return [{ table: of, key, value: deletes ? undefined : session.newValue() }]
}

/** Reads nothing, or some of the table, in any way. */
async function readSome(session: Session, tx: Transaction, table: string): Promise<Seen[]> {
  const { decisions } = session
  const seen: Seen[] = []
  for (let reads = decisions.weigh('reads', [1, 3, 2]); reads > 0; reads--) {
    switch (decisions.pick('read', ['keys', 'range', 'left', 'pages', 'count', 'has'])) {
      case 'keys': {
        const length = decisions.between('keys', 1, 3)
        const keys = Array.from({ length }, (_, i) => session.pickKey(i))
        seen.push(await readKeys(session, tx, table, keys))
        break
      }
      case 'range':
        seen.push(await readRange(session, tx, { table, range: session.pickRange() }))
        break
      case 'left': {
        // Within the first page, or after it.
        const through =
          decisions.choose('far', 2) === 1
            ? decisions.between('far through', 60, 100)
            : decisions.choose('through', 6)
        const range = decisions.choose('reverse', 2) === 1 ? { reverse: true } : {}
        seen.push(await readRange(session, tx, { table, range, through }))
        break
      }
      case 'pages':
        seen.push(...(await readPages(session, tx, table)))
        break
      case 'count': {
        const { reverse, limit, ...range } = session.pickRange()
        seen.push(await countRange(session, tx, { table, range }))
        break
      }
      case 'has':
        seen.push(await hasKey(session, tx, table, session.pickKey()))
    }
  }
  return seen
}

async function readPages(session: Session, tx: Transaction, table: string): Promise<Seen[]> {
  const { decisions } = session
  const limit = decisions.between('page', 1, 5)
  const reverse = decisions.choose('reverse', 2) === 1
  let range: KeyRange = { limit, ...(reverse ? { reverse } : {}) }
  const seen: Seen[] = []
  for (let pages = decisions.between('pages', 1, 3); pages > 0; pages--) {
    const page = await readRange(session, tx, { table, range })
    seen.push(page)
    const last = page.rows.at(-1)?.[0]
    if (last === undefined) break
    range = { ...range, ...(reverse ? { lt: last } : { gt: last }) }
  }
  return seen
}

/** Makes the moves during one transaction. */
class Outrun {
  readonly #session: Session
  /** The session that writes. */
  readonly #other: Session
  readonly #table: string
  readonly #reads: readonly Seen[]

  constructor(session: Session, other: Session, table: string, reads: readonly Seen[]) {
    this.#session = session
    this.#other = other
    this.#table = table
    this.#reads = reads
  }

  /** Makes the moves before the commit. */
  async amid(): Promise<void> {
    const { decisions } = this.#session
    for (let moves = decisions.between('moves', 1, 5); moves > 0; moves--) await this.#move()
  }

  /** Makes the moves during the commit. Never rejects. */
  async behind(): Promise<void> {
    const { decisions, host } = this.#session
    const moves = decisions.weigh('moves behind', [1, 1, 1, 1])
    const mostMs = decisions.pick('at most', BEHIND_MS)
    for (let i = 0; i < moves; i++) {
      await host.life.env.sleep(decisions.choose('behind', mostMs))
      const writes = decisions.choose('moves', 4) !== 3
      await handled(this.#session, () => (writes ? this.#makeSoon('write') : this.#move()))
      await handled(this.#session, () => this.#refresh())
    }
  }

  async #move(): Promise<void> {
    const { decisions } = this.#session
    const weights = this.#reads.length === 0 ? BLIND_MOVES : WEIGHTS
    const [name] = MOVES[decisions.weigh('move', weights)] ?? MOVES[0]
    await this.#makeSoon(name)
  }

  #makeSoon(name: Move): Promise<void> {
    return soon(
      this.#session,
      handled(this.#other, () => this.#make(name)),
    )
  }

  #make(name: Move): Promise<void> {
    const [session, other] = [this.#session, this.#other]
    const { decisions } = session
    switch (name) {
      case 'write':
        return this.#write()
      case 'fill a memtable':
        return this.#fillMemtable(decisions.between('puts', 1, 6))
      case 'write a file':
        return this.#writeFile()
      case 'evict':
        return session.attempt('evict amid a transaction', () => session.db.evict())
      case 'refresh':
        return this.#refresh()
      case 'compact':
        return other.attempt('compact amid a transaction', async () => {
          await other.db.compact()
        })
      case 'flush':
        return other.attempt('flush amid a transaction', () => other.db.flush())
      case 'drop':
        return drop(other, this.#table)
    }
  }

  #refresh(): Promise<void> {
    const session = this.#session
    return session.attempt('refresh amid a transaction', async () => {
      await session.db.refresh()
    })
  }

  #write(): Promise<void> {
    const { decisions } = this.#session
    const deletes = decisions.choose('move deletes', 5) === 4
    const value = deletes ? undefined : this.#other.newValue()
    const change = { table: this.#table, key: this.#pickHit(), value }
    return writeOne(this.#other, 'write amid a transaction', change, { durability: 'durable' })
  }

  /** Fills a memtable with puts at once: they meet in a group. */
  async #fillMemtable(puts: number): Promise<void> {
    const [session, other] = [this.#session, this.#other]
    const table =
      session.decisions.choose('fills another', 2) === 1 ? session.pickTable() : this.#table
    const writes = Array.from({ length: puts }, (_, i) => {
      const change = { table, key: session.pickKey(i), value: other.newValue(PADDING) }
      return writeOne(other, 'put amid a transaction', change, { durability: 'durable' })
    })
    await Promise.all(writes)
  }

  /** Writes more than most runs put into the log, of keys that were read or beside them. */
  #writeFile(): Promise<void> {
    const [session, other] = [this.#session, this.#other]
    const hits = session.decisions.choose('file hits', 2) === 1
    const first = hits ? this.#pickHit() : session.pickKey()
    const keys = [first, ...Array.from({ length: 5 }, (_, i) => session.pickKey(i + 1))]
    const changes = [...new Set(keys)].map((key) => ({
      table: this.#table,
      key,
      value: other.newValue(PADDING),
    }))
    return other.write({ what: 'file amid a transaction', changes }, () => {
      const batch = other.batch()
      for (const { key, value } of changes) batch.put(other.table(this.#table), key, value)
      return batch.write({ durability: 'durable' })
    })
  }

  /** Picks a key that was read, or any key. */
  #pickHit(): string {
    const { decisions } = this.#session
    const seen = this.#reads[decisions.choose('of', Math.max(1, this.#reads.length))]
    if (seen?.kind === 'values') {
      return seen.keys[decisions.choose('key read', seen.keys.length)] as string
    }
    if (seen?.kind === 'count' && seen.range.gte !== undefined) return seen.range.gte
    const rows: readonly Row[] = seen?.kind === 'rows' ? seen.rows : []
    const hit = [rows.at(0), rows.at(-1), rows[decisions.choose('row', Math.max(1, rows.length))]][
      decisions.choose('hit', 4)
    ]
    return hit?.[0] ?? this.#session.pickKey()
  }
}
