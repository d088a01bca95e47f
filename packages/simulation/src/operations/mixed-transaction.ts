import type { Transaction } from '@firn/engine'
import { isFirnError } from '@firn/env'
import type { Change, OwnWrites, Row, Seen } from '../history.js'
import type { KeyRange } from '../key-range.js'
import type { Session } from '../session.js'
import type { Operation } from './operation.js'
import { countRange, hasKey, inTransaction, readKeys, readRange } from './transactions.js'

/** How often each step is taken, relative to the others. */
const STEPS = [
  ['put', 6],
  ['page', 5],
  ['scan', 2],
  ['write amid a scan', 3],
  ['get', 3],
  ['get many', 1],
  ['has', 3],
  ['count', 2],
  ['delete', 3],
  ['read of the past', 1],
] as const

/**
 * A transaction that alternates reads and writes: it pages through ranges, counts and looks up
 * keys, and puts and deletes some of these in between. Each read shows its snapshot with its own
 * earlier writes.
 */
export const mixedTransaction: Operation = {
  name: 'mixed transaction',
  weight: 6,
  writes: true,
  run: (session) =>
    inTransaction(session, 'mixed transaction', async (tx) => {
      const { decisions } = session
      const mixed = new Mixed(session, tx)
      for (let steps = decisions.between('steps', 2, 12); steps > 0; steps--) await mixed.step()
      return mixed
    }),
}

/** The point at which a paging read continues. */
interface Paging {
  table: string
  range: KeyRange
}

/** One attempt. */
class Mixed {
  readonly reads: Seen[] = []
  readonly #session: Session
  readonly #tx: Transaction
  readonly #tables: readonly [string, ...string[]]
  readonly #own: Map<string, Map<string, string | undefined>> = new Map()
  #paging: Paging | undefined

  constructor(session: Session, tx: Transaction) {
    this.#session = session
    this.#tx = tx
    // Few tables, so that it meets its own writes.
    this.#tables = [session.pickTable(), session.pickTable()]
  }

  /** Its writes, the last one of each key. */
  get changes(): Change[] {
    return [...this.#own].flatMap(([table, own]) =>
      [...own].map(([key, value]) => ({ table, key, value })),
    )
  }

  async step(): Promise<void> {
    const { decisions } = this.#session
    const [name] = STEPS[decisions.weigh('step', WEIGHTS)] ?? STEPS[0]
    const table = decisions.pick('of', this.#tables)
    switch (name) {
      case 'put':
        return this.#write(table, this.#session.newValue(decisions.choose('padding', 20)))
      case 'delete':
        return this.#write(table, undefined)
      case 'page':
        return this.#page(table)
      case 'scan':
        return this.#scan(table)
      case 'write amid a scan':
        return this.#scan(table, () => this.#write(table, this.#session.newValue()))
      case 'get':
        return this.#get(table, 1)
      case 'get many':
        return this.#get(table, decisions.between('keys', 2, 5))
      case 'has':
        return this.#has(table)
      case 'count':
        return this.#count(table)
      case 'read of the past':
        return this.#readPast(table)
    }
  }

  /** Writes, mostly, a key that it has met. */
  async #write(table: string, value: string | undefined): Promise<void> {
    const key = this.#pickKey(table)
    const own = this.#own.get(table) ?? new Map<string, string | undefined>()
    this.#own.set(table, own)
    own.delete(key)
    own.set(key, value)
    const t = this.#session.tableIn(this.#tx, table)
    await (value === undefined ? t.delete(key) : t.put(key, value))
  }

  async #scan(table: string, amid?: () => Promise<void>): Promise<void> {
    const { decisions } = this.#session
    const left = decisions.choose('left', 3) === 2
    await this.#read(
      readRange(this.#session, this.#tx, {
        table,
        range: this.#session.pickRange(),
        ...(left ? { through: decisions.choose('left after', 5) } : {}),
        own: this.#ownOf(table),
        ...(amid === undefined ? {} : { amid }),
      }),
    )
  }

  /** Reads the next page of a paging read, or the first page of a new one. */
  async #page(table: string): Promise<void> {
    const { decisions } = this.#session
    this.#paging ??= {
      table,
      range: {
        limit: decisions.between('page', 1, 6),
        ...(decisions.choose('reverse', 2) === 1 ? { reverse: true } : {}),
      },
    }
    const { range } = this.#paging
    const seen = await this.#read(
      readRange(this.#session, this.#tx, {
        table: this.#paging.table,
        range,
        own: this.#ownOf(this.#paging.table),
      }),
    )
    const last = (seen.rows as readonly Row[]).at(-1)?.[0]
    const isLast = last === undefined || seen.rows.length < (range.limit ?? 0)
    const next = range.reverse === true ? { lt: last ?? '' } : { gt: last ?? '' }
    this.#paging = isLast ? undefined : { ...this.#paging, range: { ...range, ...next } }
  }

  async #get(table: string, count: number): Promise<void> {
    const keys = Array.from({ length: count }, () => this.#pickKey(table))
    await this.#read(readKeys(this.#session, this.#tx, table, keys, this.#ownOf(table)))
  }

  async #has(table: string): Promise<void> {
    const own = this.#ownOf(table)
    await this.#read(hasKey(this.#session, this.#tx, table, this.#pickKey(table), own))
  }

  async #count(table: string): Promise<void> {
    const { reverse, limit, ...range } = this.#session.pickRange()
    const own = this.#ownOf(table)
    await this.#read(countRange(this.#session, this.#tx, { table, range, own }))
  }

  /** Reads the past, which has none of its writes, and nothing after its snapshot. */
  async #readPast(table: string): Promise<void> {
    const session = this.#session
    const at = session.pickMoment()
    if (at === undefined) return
    const { version } = this.#tx
    const present = { from: version, to: version }
    const what = 'read of the past in a transaction'
    const read = session.beginRead({ what, table, at, present, bound: version })
    const key = this.#pickKey(table)
    try {
      const values = [await session.tableIn(this.#tx, table).get(key, { at })]
      read.end({ kind: 'values', table, keys: [key], values })
    } catch (error) {
      const isOver = !isFirnError(error, 'FIRN_SNAPSHOT_EXPIRED')
      if (isOver && !isFirnError(error, 'FIRN_VERSION_NOT_FOUND')) throw error
      read.fail(error)
    }
  }

  async #read<S extends Seen>(reading: Promise<S>): Promise<S> {
    const seen = await reading
    this.reads.push(seen)
    return seen
  }

  /** Picks a key that it wrote, or any key. */
  #pickKey(table: string): string {
    const own = [...(this.#own.get(table)?.keys() ?? [])]
    const { decisions } = this.#session
    const isOwn = own.length > 0 && decisions.choose('own', 2) === 1
    if (!isOwn) return this.#session.pickKey()
    return own[decisions.choose('which', own.length)] as string
  }

  /** Returns its writes to a table so far. */
  #ownOf(table: string): OwnWrites {
    return new Map(this.#own.get(table))
  }
}

const WEIGHTS: readonly number[] = STEPS.map(([, weight]) => weight)
