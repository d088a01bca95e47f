import type { Commit, Transaction } from '@firn/engine'
import type { Change, OwnWrites, Row, Seen } from '../history.js'
import type { KeyRange } from '../key-range.js'
import type { RecordedRead } from '../recorded-read.js'
import type { Session } from '../session.js'
import { ETERNAL } from '../tables.js'
import { Violation } from '../violation.js'
import type { Operation } from './operation.js'
import { stir } from './stirring.js'

/** The plan of a transaction, for each time that it runs. */
interface Plan {
  /** Tables and keys, each key read by itself, or all keys of a table together. */
  keys: readonly { table: string; keys: readonly string[] }[]
  ranges: readonly { table: string; range: KeyRange; through: number }[]
  changes: readonly Change[]
}

/**
 * Reads some keys and ranges, writes some keys, and checks what it has written. Everything that it
 * read must hold at the version before its own.
 */
export const transaction: Operation = {
  name: 'transaction',
  weight: 8,
  writes: true,
  run(session) {
    const plan = pickPlan(session)
    return inTransaction(session, 'transaction', async (tx) => {
      const reads = await readAll(session, tx, plan)
      await writeAll(session, tx, plan.changes)
      return { reads, changes: plan.changes }
    })
  },
}

/** The reads and writes of one attempt of a transaction. */
interface Attempt {
  reads: readonly Seen[]
  changes: readonly Change[]
}

export interface TransactionStyle {
  /**
   * Whether the client always waits for its end, as for one of several calls of a step. Default
   * false.
   */
  isPatient?: boolean
  /** The limit of attempts. Default: drawn. */
  attempts?: number
}

/** The style of one of several transactions at once. */
export const PATIENT: TransactionStyle = { isPatient: true }

/** Runs a transaction, and records what its last attempt read and wrote. */
export async function inTransaction(
  session: Session,
  what: string,
  run: (tx: Transaction) => Promise<Attempt>,
  style: TransactionStyle = {},
): Promise<void> {
  const { decisions } = session
  const isolation = decisions.pick('isolation', ['serializable', 'serializable', 'snapshot'])
  const { isPatient = false, attempts = decisions.between('attempts', 1, 6) } = style
  const stirs = decisions.weigh('stirs', [5, 1]) === 1
  const stirred: Promise<void>[] = []
  const write = { what, changes: [], allowed: ['FIRN_TRANSACTION_CONFLICT'] }
  await session.write(write, async (recorded) => {
    let last: Transaction | undefined
    const signal = isPatient ? undefined : session.mayAbandon()
    const beginAttempt = (): RecordedRead =>
      session.beginRead({ what: `snapshot of a ${what}`, table: ETERNAL })
    let attempt = beginAttempt()
    await session.transaction(
      async (tx) => {
        last = tx
        attempt.end({ kind: 'version', version: tx.version })
        attempt = beginAttempt()
        recorded.transaction = undefined
        const { reads, changes } = await run(tx)
        recorded.changes = changes
        recorded.transaction = { isolation, version: tx.version, reads }
        // A client that gives up doesn't see the outcome.
        if (stirs && signal === undefined) stirred.push((await stir(session)).ended)
      },
      { isolation, attempts, ...(signal === undefined ? {} : { signal }) },
    )
    return committed(last, recorded.changes)
  })
  await Promise.all(stirred)
}

function committed(tx: Transaction | undefined, changes: readonly Change[]): Commit {
  if (tx === undefined) throw new Violation('a transaction ended without having run')
  if (tx.committed === undefined && changes.length > 0) {
    throw new Violation('a transaction that wrote something says nothing of its commit')
  }
  return tx.committed ?? { version: tx.version, timestamp: tx.timestamp }
}

function pickPlan(session: Session): Plan {
  const { decisions } = session
  const keys = Array.from({ length: decisions.choose('key reads', 4) }, () => ({
    table: session.pickTable(),
    keys: Array.from({ length: decisions.between('keys', 1, 3) }, (_, i) => session.pickKey(i)),
  }))
  const ranges = Array.from({ length: decisions.choose('range reads', 3) }, () => ({
    table: session.pickTable(),
    range: session.pickRange(),
    // A loop that is left after this many rows, or never.
    through: decisions.choose('left', 3) === 2 ? decisions.choose('left after', 5) : Infinity,
  }))
  const changes = Array.from({ length: decisions.between('changes', 1, 5) }, (_, i): Change => {
    const table = session.pickTable()
    const value = decisions.choose('deletes', 5) === 4 ? undefined : session.newValue()
    return { table, key: session.pickKey(i), value }
  })
  const last = new Map(changes.map((change) => [`${change.table}/${change.key}`, change]))
  return { keys, ranges, changes: [...last.values()] }
}

/** Makes the reads before its writes: all of them see its snapshot. */
async function readAll(session: Session, tx: Transaction, plan: Plan): Promise<Seen[]> {
  const all: Seen[] = []
  for (const { table, keys } of plan.keys) all.push(await readKeys(session, tx, table, keys))
  for (const range of plan.ranges) all.push(await readRange(session, tx, range))
  return all
}

/**
 * Reads one key by itself, or several together. `own` are the transaction's writes to the table.
 */
export async function readKeys(
  session: Session,
  tx: Transaction,
  table: string,
  keys: readonly string[],
  own?: OwnWrites,
): Promise<Seen & { kind: 'values' }> {
  const read = beginReadIn(session, tx, 'read in a transaction', table)
  const t = session.tableIn(tx, table)
  const [only, second] = keys
  const alone = second === undefined && only !== undefined
  const values = alone ? [await t.get(only)] : await t.getMany(keys)
  const seen = { kind: 'values', table, keys, values, ...(own && { own }) } as const
  read.end(seen)
  return seen
}

export interface RangeRead {
  table: string
  range: KeyRange
  /** The loop is left after this many rows. Default: never. */
  through?: number
  /** The transaction's writes to the table. */
  own?: OwnWrites | undefined
  /** Called during the scan. */
  amid?: () => Promise<void>
}

/** Reads the rows of a range, or the first ones. */
export async function readRange(
  session: Session,
  tx: Transaction,
  { table, range, through = Infinity, own, amid }: RangeRead,
): Promise<Seen & { kind: 'rows' }> {
  const read = beginReadIn(session, tx, 'scan in a transaction', table)
  const rows: Row[] = []
  let whole = true
  const iterator = session.tableIn(tx, table).scan(range)[Symbol.asyncIterator]()
  let next = iterator.next()
  await amid?.().catch((error: unknown) => {
    // The transaction has ended, and the scan fails too.
    next.catch(() => {})
    throw error
  })
  for (let row = await next; row.done !== true; row = await next) {
    if (rows.length >= through) {
      whole = false
      await iterator.return()
      break
    }
    rows.push(row.value)
    next = iterator.next()
  }
  const seen = { kind: 'rows', table, range, rows, whole, ...(own && { own }) } as const
  read.end(seen)
  return seen
}

/** Checks whether a key exists. */
export async function hasKey(
  session: Session,
  tx: Transaction,
  table: string,
  key: string,
  own?: OwnWrites,
): Promise<Seen> {
  const read = beginReadIn(session, tx, 'has in a transaction', table)
  const has = await session.tableIn(tx, table).has(key)
  const range = { gte: key, lte: key }
  const seen: Seen = { kind: 'count', table, range, count: has ? 1 : 0, ...(own && { own }) }
  read.end(seen)
  return seen
}

/** Counts the keys of a range. */
export async function countRange(
  session: Session,
  tx: Transaction,
  { table, range, own }: Pick<RangeRead, 'table' | 'range' | 'own'>,
): Promise<Seen> {
  const read = beginReadIn(session, tx, 'count in a transaction', table)
  const count = await session.tableIn(tx, table).count(range)
  const seen: Seen = { kind: 'count', table, range, count, ...(own && { own }) }
  read.end(seen)
  return seen
}

/** Begins a read of a transaction, which sees its snapshot. */
function beginReadIn(session: Session, tx: Transaction, what: string, table: string): RecordedRead {
  return session.beginRead({ what, table, present: { from: tx.version, to: tx.version } })
}

/** Writes, and sometimes checks what it wrote, by reading a key or a range. */
export async function writeAll(
  session: Session,
  tx: Transaction,
  changes: readonly Change[],
): Promise<void> {
  for (const { table, key, value } of changes) {
    const t = session.tableIn(tx, table)
    if (value === undefined) await t.delete(key)
    else await t.put(key, value)
  }
  // Not always: the transaction is validated against these reads, whatever it did before.
  if (session.decisions.choose('looks', 3) !== 2) return
  for (const { table, key, value } of changes) {
    const t = session.tableIn(tx, table)
    const [row] = await t.scan({ gte: key, lte: key }).toArray()
    if ((await t.get(key)) === value && row?.[1] === value) continue
    throw new Violation(`a transaction doesn't see its own write of ${table}/${key}`)
  }
}
